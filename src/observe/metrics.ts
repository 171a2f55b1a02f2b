import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Status } from '../core/status.ts'
import { createBoundedLabels } from './bounded-labels.ts'
import { createDiskSpaceGauges } from './disk-space.ts'
import { idleMonitor, replaceEventLoopLag } from './event-loop-lag.ts'
import type { Log } from './log.ts'
import { createMetricTable } from './metric-table.ts'
import { type MetricsFormat, toOpenMetrics } from './open-metrics.ts'
import { createPeerLabels } from './peer-labels.ts'
import { dropPeer, zeroPeer } from './peer-series.ts'
import { knownRejections } from './reasons.ts'
import { showPeer, showStatus } from './status-gauges.ts'

export interface MetricsOptions {
  readonly version: string
  /** The addresses in SYND_PEERS as `host:port`, without `dns:` names: their labels are there from the start. */
  readonly peers: readonly string[]
  /** Why other surfaces refuse than those known here: label sets of synd_rejected_total that are there from the start. */
  readonly rejections: Readonly<Record<string, readonly string[]>>
  /** How many inotify watches there are, and may be (null: nobody knows). */
  readonly watchCount: () => number | Promise<number>
  readonly watchLimit: () => number | null
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/** What is counted as it happens, and the text of it all; `peer` is `host:port`, '' for one that is not configured. */
export interface Metrics {
  notified(peer: string, direction: 'sent' | 'received', entries: number): void
  pulled(peer: string, sizeBytes: number): void
  /** Bytes of files that the embedded source sent. */
  served(peer: string, sizeBytes: number): void
  transferFailed(peer: string, reason: string): void
  propagated(peer: string, seconds: number): void
  conflicted(): void
  rejected(surface: string, reason: string): void
  scanned(seconds: number): void
  watchEvents(count: number): void
  watchOverflowed(): void
  watchDegraded(reason: string | null): void
  /** Gauges show the status as of a moment after the call, or what they showed last where it cannot be had. */
  render(status: () => Status, format: MetricsFormat): Promise<string>
}

/** The label of peers that are in no setting; no host name looks like it. */
const unlistedPeer = '(unlisted)'

/** Opens the metrics with every label set that is known at the start, at zero. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = createRegistry()
  const table = createMetricTable(registry)
  const labels = createPeerLabels(options.peers, options.nowMs)
  const boundedReason = createBoundedLabels()
  const askForDiskSpace = createDiskSpaceGauges(table)
  table.buildInfo.set({ version: options.version, node: process.version }, 1)
  for (const peer of options.peers) zeroPeer(table, peer)
  for (const [surface, reasons] of Object.entries({ ...knownRejections, ...options.rejections }))
    for (const reason of reasons)
      table.rejected.inc({ surface, reason: boundedReason(surface, reason) }, 0)

  const peerOf = (address: string): string => {
    if (address === '') return unlistedPeer
    if (labels.touch(address)) zeroPeer(table, address)
    return address
  }

  const refresh = async (status: Status): Promise<void> => {
    showStatus(table, status)
    askForDiskSpace(status.volume.path)
    const peers = new Map(status.peers.map((peer) => [peerOf(peer.address), peer]))
    for (const gone of labels.expire()) await dropPeer(table, gone)
    table.peerInfo.reset()
    for (const peer of labels.all()) showPeer(table, peer, peers.get(peer) ?? null)
    table.inotifyWatches.set(amount(await options.watchCount()))
    table.inotifyWatchesLimit.set(amount(options.watchLimit() ?? 0))
  }

  const draw = async (status: () => Status): Promise<string> => {
    try {
      await refresh(status())
    } catch (error) {
      options.log('error', 'the gauges of /metrics could not be set', { error })
    }
    return registry.metrics()
  }

  let next: Promise<string> | null = null
  let rested: Promise<void> = rest()
  return {
    notified: (peer, direction, entries) =>
      table.notifications.inc({ peer: peerOf(peer), direction }, amount(entries)),
    pulled: (address, sizeBytes) => {
      const peer = peerOf(address)
      table.pulledFiles.inc({ peer })
      table.transferBytes.inc({ peer, direction: 'received' }, amount(sizeBytes))
    },
    served: (peer, sizeBytes) =>
      table.transferBytes.inc({ peer: peerOf(peer), direction: 'sent' }, amount(sizeBytes)),
    transferFailed: (peer, reason) =>
      table.transferErrors.inc({ peer: peerOf(peer), reason: boundedReason('transfer', reason) }),
    propagated: (peer, seconds) =>
      table.propagation.observe({ peer: peerOf(peer) }, amount(seconds)),
    conflicted: () => table.conflicts.inc(),
    rejected: (surface, reason) =>
      table.rejected.inc({
        surface: boundedReason('surface', surface),
        reason: boundedReason(surface, reason),
      }),
    scanned: (seconds) => table.scanDuration.observe(amount(seconds)),
    watchEvents: (count) => table.watchEvents.inc(amount(count)),
    watchOverflowed: () => table.watchOverflows.inc(),
    watchDegraded: (reason) => table.watchDegraded.set(reason === null ? 0 : 1),
    render: async (status, format) => {
      // All who ask before a drawing begins share it: a thousand scrapers cost a few.
      next ??= rested.then(() => {
        next = null
        const text = draw(status)
        rested = text.then(rest, rest)
        return text
      })
      const text = await next
      return format === 'openmetrics' ? toOpenMetrics(text) : text
    },
  }
}

function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, ...idleMonitor })
  replaceEventLoopLag(registry)
  // Gauges that are named like counters, which promtool refuses; nodejs_active_resources and others sum to the same.
  for (const kind of ['handles', 'requests', 'resources'])
    registry.removeSingleMetric(`nodejs_active_${kind}_total`)
  return registry
}

/** Between two drawings, each of which takes some milliseconds of the event loop. */
const restMs = 25

function rest(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, restMs).unref()
  })
}

/** A clock that went back must not throw here nor spoil a sum. */
function amount(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0
}
