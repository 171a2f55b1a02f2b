import { curves, type PanelBuilder } from '../panel.ts'
import { byPeer } from '../variables.ts'

/** Each peer on its own: what waits for it, how fast it is, what is said to it. */
export function peerPanels(): readonly PanelBuilder[] {
  return [
    curves(
      { title: 'Pending changes', description: 'Changes that the peer has not applied yet.' },
      'short',
      [{ expr: `synd_pending_changes{${byPeer}}`, legend: '{{instance}} → {{peer}}' }],
    ),
    curves(
      {
        title: 'Propagation p95 by peer',
        description: 'Nineteen changes in twenty are applied there within this time.',
      },
      's',
      [
        {
          expr: `histogram_quantile(0.95, sum by (instance, peer, le) (rate(synd_propagation_seconds_bucket{${byPeer}}[$__rate_interval])))`,
          legend: '{{instance}} → {{peer}}',
        },
      ],
    ),
    curves(
      {
        title: 'Notifications',
        description: 'Batches of changes told to the peer and heard from it, a second.',
      },
      'ops',
      [
        {
          expr: `rate(synd_notifications_total{${byPeer}}[$__rate_interval])`,
          legend: '{{instance}} {{direction}} {{peer}}',
        },
      ],
    ),
    curves(
      {
        title: 'Since the last sync',
        description: 'Time since the peer last had everything; 0 when it never did.',
      },
      's',
      [
        {
          expr: `(time() - synd_last_sync_timestamp_seconds{${byPeer}}) * (synd_last_sync_timestamp_seconds{${byPeer}} > bool 0)`,
          legend: '{{instance}} → {{peer}}',
        },
      ],
    ).span(12),
    curves(
      { title: 'Connections', description: '1 while the host is connected to the peer.' },
      'short',
      [{ expr: `synd_peer_up{${byPeer}}`, legend: '{{instance}} → {{peer}}' }],
    )
      .span(12)
      .max(1)
      .decimals(0),
  ]
}
