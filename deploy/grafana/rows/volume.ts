import { curves, type PanelBuilder } from '../panel.ts'
import { byInstance } from '../variables.ts'

/** What is in the directory, and how much room is left. */
export function volumePanels(): readonly PanelBuilder[] {
  return [
    curves(
      { title: 'Entries', description: 'Files, directories, links and remembered deletes.' },
      'short',
      [{ expr: `synd_volume_entries{${byInstance}}`, legend: '{{instance}} {{kind}}' }],
    ),
    curves(
      { title: 'Size', description: 'Bytes in files. Equal on hosts that are in sync.' },
      'bytes',
      [{ expr: `synd_volume_bytes{${byInstance}}`, legend: '{{instance}}' }],
    ),
    curves(
      { title: 'Free space', description: 'Free bytes of the file system that the volume is on.' },
      'bytes',
      [{ expr: `synd_volume_free_bytes{${byInstance}}`, legend: '{{instance}}' }],
    ),
  ]
}
