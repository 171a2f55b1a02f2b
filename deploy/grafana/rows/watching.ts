import { curves, type PanelBuilder, states } from '../panel.ts'
import { byInstance } from '../variables.ts'

/** Whether changes are seen as they happen, and how near inotify is to its limit. */
export function watchPanels(): readonly PanelBuilder[] {
  return [
    states(
      {
        title: 'Watch',
        description: 'Degraded: some or all of the volume is found by scans only.',
      },
      { expr: `synd_watch_degraded{${byInstance}}`, legend: '{{instance}}' },
      { zero: { text: 'watching', color: 'green' }, one: { text: 'degraded', color: 'red' } },
    ),
    curves(
      { title: 'Events', description: 'Hints of the kernel that something changed, a second.' },
      'ops',
      [
        {
          expr: `rate(synd_watch_events_total{${byInstance}}[$__rate_interval])`,
          legend: '{{instance}}',
        },
      ],
    ),
    curves(
      {
        title: 'Overflows',
        description: 'Times that events may have been lost; each is followed by a full scan.',
      },
      'short',
      [
        {
          expr: `increase(synd_watch_overflows_total{${byInstance}}[$__rate_interval])`,
          legend: '{{instance}}',
        },
      ],
    ),
    curves(
      {
        title: 'inotify headroom',
        description:
          'Share of fs.inotify.max_user_watches that Synd uses. At 100 % it can only scan.',
      },
      'percentunit',
      [
        {
          expr: `synd_inotify_watches{${byInstance}} / synd_inotify_watches_limit{${byInstance}}`,
          legend: '{{instance}}',
        },
      ],
    )
      .span(12)
      .max(1),
    curves(
      { title: 'Scan duration', description: 'Mean length of the scans of the last hour.' },
      's',
      [
        {
          expr: `increase(synd_scan_duration_seconds_sum{${byInstance}}[1h]) / increase(synd_scan_duration_seconds_count{${byInstance}}[1h])`,
          legend: '{{instance}}',
        },
      ],
    ).span(12),
  ]
}
