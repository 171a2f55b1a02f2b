import { curves, type PanelBuilder } from '../panel.ts'
import { byInstance, byPeer } from '../variables.ts'

/** What travels over SSH, and what goes wrong on the way. */
export function transferPanels(): readonly PanelBuilder[] {
  return [
    curves(
      {
        title: 'Bytes',
        description: 'File contents pulled from the peer and served to it, a second.',
      },
      'Bps',
      [
        {
          expr: `rate(synd_transfer_bytes_total{${byPeer}}[$__rate_interval])`,
          legend: '{{instance}} {{direction}} {{peer}}',
        },
      ],
    ).span(12),
    curves(
      { title: 'Files pulled', description: 'Files fetched from the peer, a second.' },
      'ops',
      [
        {
          expr: `rate(synd_pulled_files_total{${byPeer}}[$__rate_interval])`,
          legend: '{{instance}} ← {{peer}}',
        },
      ],
    ).span(12),
    curves(
      {
        title: 'Transfer errors',
        description: 'Pulls that failed, by reason; they are tried again.',
      },
      'short',
      [
        {
          expr: `sum by (instance, peer, reason) (increase(synd_transfer_errors_total{${byPeer}}[$__rate_interval]))`,
          legend: '{{instance}} ← {{peer}}: {{reason}}',
        },
      ],
    ).span(12),
    curves(
      {
        title: 'Refused',
        description: 'What strangers or broken peers tried and did not get, by surface and reason.',
      },
      'short',
      [
        {
          expr: `sum by (instance, surface, reason) (increase(synd_rejected_total{${byInstance}}[$__rate_interval]))`,
          legend: '{{instance}} {{surface}}: {{reason}}',
        },
      ],
    ).span(12),
  ]
}
