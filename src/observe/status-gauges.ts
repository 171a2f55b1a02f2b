import { problemCodes } from '../core/problem.ts'
import type { PeerStatus, Status } from '../core/status.ts'
import type { MetricTable } from './metric-table.ts'

/** Sets every gauge that mirrors the status. */
export function showStatus(table: MetricTable, status: Status): void {
  const { volume } = status
  table.volumeEntries.set({ kind: 'file' }, volume.files)
  table.volumeEntries.set({ kind: 'directory' }, volume.directories)
  table.volumeEntries.set({ kind: 'symlink' }, volume.symlinks)
  table.volumeEntries.set({ kind: 'tombstone' }, volume.tombstones)
  table.volumeBytes.set(volume.bytes)
  table.volumeHalted.set(volume.state === 'halted' ? 1 : 0)
  table.heldDeletes.set(volume.heldDeletes)
  table.diverged.set(volume.diverged)
  for (const code of problemCodes)
    table.problems.set({ code }, status.problems.filter((problem) => problem.code === code).length)
}

/** Sets the gauges of one peer; null for one that is configured but not met, or that left. */
export function showPeer(table: MetricTable, peer: string, status: PeerStatus | null): void {
  table.peerUp.set({ peer }, status?.connected === true ? 1 : 0)
  table.pendingChanges.set({ peer }, status?.pendingChanges ?? 0)
  table.oldestPending.set({ peer }, secondsOf(status?.oldestPendingTimestamp ?? null))
  if (status !== null) table.lastSync.set({ peer }, secondsOf(status.lastSyncTimestamp))
  table.peerInfo.set({ peer, name: status?.name ?? '', id: status?.id ?? '' }, 1)
}

function secondsOf(timestamp: string | null): number {
  const milliseconds = timestamp === null ? 0 : Date.parse(timestamp)
  return Number.isFinite(milliseconds) ? milliseconds / 1000 : 0
}
