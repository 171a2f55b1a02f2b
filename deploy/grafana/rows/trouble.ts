import { curves, type PanelBuilder } from '../panel.ts'
import { byInstance } from '../variables.ts'

/** What needs a person. */
export function troublePanels(): readonly PanelBuilder[] {
  return [
    curves(
      {
        title: 'Conflicts',
        description:
          'Conflict copies made: the same file changed on two hosts before they had talked.',
      },
      'short',
      [
        {
          expr: `increase(synd_conflicts_total{${byInstance}}[$__rate_interval])`,
          legend: '{{instance}}',
        },
      ],
    ),
    curves(
      {
        title: 'Problems',
        description: 'Paths and peers left out, by kind; synd status names them.',
      },
      'short',
      [
        {
          expr: `sum by (instance, code) (synd_problems{${byInstance}})`,
          legend: '{{instance}} {{code}}',
        },
      ],
    ),
    curves(
      { title: 'Held deletes', description: 'Deletes that wait for synd approve or synd reject.' },
      'short',
      [{ expr: `synd_held_deletes{${byInstance}}`, legend: '{{instance}}' }],
    ),
    curves(
      {
        title: 'Kept apart',
        description:
          'Paths that differ from the other hosts because this one only sends or only receives.',
      },
      'short',
      [{ expr: `synd_diverged{${byInstance}}`, legend: '{{instance}}' }],
    ),
  ]
}
