import { curves, type PanelBuilder } from '../panel.ts'
import { byInstance } from '../variables.ts'

/** The process itself. */
export function nodePanels(): readonly PanelBuilder[] {
  return [
    curves({ title: 'CPU', description: 'Cores in use.' }, 'percentunit', [
      {
        expr: `rate(process_cpu_seconds_total{${byInstance}}[$__rate_interval])`,
        legend: '{{instance}}',
      },
    ]),
    curves(
      { title: 'Memory', description: 'Resident memory, and what of it is JavaScript heap.' },
      'bytes',
      [
        { expr: `process_resident_memory_bytes{${byInstance}}`, legend: '{{instance}} resident' },
        { expr: `nodejs_heap_size_used_bytes{${byInstance}}`, legend: '{{instance}} heap' },
      ],
    ),
    curves({ title: 'Event loop lag p99', description: 'Over 0.1 s everything else waits.' }, 's', [
      { expr: `nodejs_eventloop_lag_p99_seconds{${byInstance}}`, legend: '{{instance}}' },
    ]),
    curves(
      { title: 'Open files', description: 'File descriptors in use, and the limit.' },
      'short',
      [{ expr: `process_open_fds{${byInstance}}`, legend: '{{instance}}' }],
    ).span(12),
    curves(
      { title: 'Garbage collection', description: 'Share of the time that goes into it, by kind.' },
      'percentunit',
      [
        {
          expr: `sum by (instance, kind) (rate(nodejs_gc_duration_seconds_sum{${byInstance}}[$__rate_interval]))`,
          legend: '{{instance}} {{kind}}',
        },
      ],
    ).span(12),
  ]
}
