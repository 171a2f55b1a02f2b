import type { Counter } from 'prom-client'
import type { MetricTable } from './metric-table.ts'
import { knownTransferErrors } from './reasons.ts'

/** Makes every series of a peer at zero, so that the first increase is seen as one. */
export function zeroPeer(table: MetricTable, peer: string): void {
  for (const direction of ['sent', 'received']) {
    table.notifications.inc({ peer, direction }, 0)
    table.transferBytes.inc({ peer, direction }, 0)
  }
  table.pulledFiles.inc({ peer }, 0)
  for (const reason of knownTransferErrors) table.transferErrors.inc({ peer, reason }, 0)
  table.propagation.zero({ peer })
  table.peerUp.set({ peer }, 0)
  table.pendingChanges.set({ peer }, 0)
  table.oldestPending.set({ peer }, 0)
  table.lastSync.set({ peer }, 0)
  table.peerInfo.set({ peer, name: '', id: '' }, 1)
}

/** Removes every series of a peer. */
export async function dropPeer(table: MetricTable, peer: string): Promise<void> {
  await dropCounts(table.notifications, peer)
  await dropCounts(table.transferBytes, peer)
  await dropCounts(table.transferErrors, peer)
  for (const metric of [
    table.pulledFiles,
    table.propagation,
    table.peerUp,
    table.pendingChanges,
    table.oldestPending,
    table.lastSync,
  ])
    metric.remove({ peer })
}

async function dropCounts<Label extends string>(
  counter: Counter<Label | 'peer'>,
  peer: string,
): Promise<void> {
  for (const { labels } of (await counter.get()).values)
    if (labels.peer === peer) counter.remove(labels)
}
