import type { Observer } from '../engine/ports.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** What the engine and the adapters report to: log lines and counters. */
export function createObserver(log: Log, metrics: Metrics): Observer & Pick<Metrics, 'served'> {
  return { ...metrics, log }
}
