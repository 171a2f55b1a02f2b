import type { PeerStatus, ProblemStatus, Status } from '../../core/status.ts'
import type { PublicStatus } from '../../observe/http/public-status.ts'
import { alignColumns } from '../columns.ts'
import { oneLine } from '../exit-code.ts'

/** The status in words, line by line; nothing from outside can move the cursor. */
export function statusLines(status: Status | PublicStatus, nowMs: number): readonly string[] {
  const { volume, peers, problems, conflicts } = status
  const path = 'path' in volume ? ` ${oneLine(volume.path)}` : ''
  return [
    `${oneLine(status.peer.name)} (${oneLine(status.peer.id)}), synd ${oneLine(status.version)}, ${status.mode}`,
    `volume${path}: ${count(volume.files, 'file')}, ${plural(volume.directories, 'directory', 'directories')}, ${count(volume.symlinks, 'symlink')}, ${bytes(volume.bytes)}`,
    ...whatNow(status),
    '',
    ...(peers.length === 0 ? ['no peers'] : peerLines(peers, nowMs)),
    ...section(
      'problems',
      typeof problems === 'number'
        ? [String(problems)]
        : problems.map((problem) => problemLine(problem, nowMs)),
    ),
    ...section(
      'conflict copies',
      typeof conflicts === 'number' ? [String(conflicts)] : conflicts.map(oneLine),
    ),
  ]
}

/** In sync, or every reason why not. */
function whatNow(status: Status | PublicStatus): readonly string[] {
  const { volume, peers } = status
  const reasons = [
    volume.state === 'halted'
      ? `halted: ${oneLine(volume.haltedBecause ?? 'no reason given')}`
      : null,
    volume.state === 'starting' || volume.state === 'scanning'
      ? 'the volume is being scanned'
      : null,
    volume.heldDeletes === 0
      ? null
      : `${plural(volume.heldDeletes, 'delete is', 'deletes are')} held back: decide with synd approve or synd reject`,
    volume.diverged === 0 ? null : apart(status.mode, volume.diverged),
    peers.length === 0 ? 'there are no peers (SYND_PEERS)' : null,
    ...peers
      .filter(({ connected }) => !connected)
      .map(({ address }) => `${oneLine(address)} is not connected`),
    ...peers
      .filter(({ connected, pendingChanges }) => connected && pendingChanges > 0)
      .map(
        ({ address, pendingChanges }) =>
          `${oneLine(address)} lacks ${count(pendingChanges, 'change')}`,
      ),
    ...peers
      .filter(({ connected, diverged }) => connected && diverged > 0)
      .map(
        ({ address, diverged }) =>
          `${oneLine(address)} keeps ${count(diverged, 'path')} apart by its mode`,
      ),
    volume.state === 'syncing' ? 'changes are on their way' : null,
  ].filter((reason) => reason !== null)
  if (status.inSync) return ['in sync', ...reasons.map((reason) => `  ${reason}`)]
  return [
    'not in sync',
    ...(reasons.length === 0 ? ['waiting for the peers to say the same'] : reasons).map(
      (reason) => `  ${reason}`,
    ),
  ]
}

/** What the mode of this peer keeps apart. */
function apart(mode: string, diverged: number): string {
  return mode === 'receive-only'
    ? `${plural(diverged, 'path was', 'paths were')} changed here, and this peer is receive-only: take back with synd reject`
    : `${plural(diverged, 'path differs', 'paths differ')} on the peers, and this peer is ${mode}`
}

function peerLines(peers: readonly PeerStatus[], nowMs: number): readonly string[] {
  const rows = peers.map((peer) => [
    oneLine(peer.name ?? '?'),
    oneLine(peer.address),
    peer.connected ? (peer.inSync ? 'in sync' : 'connected') : 'not connected',
    peer.pendingChanges === 0
      ? '-'
      : `${peer.pendingChanges}, oldest ${ago(peer.oldestPendingTimestamp, nowMs)}`,
    ago(peer.lastSyncTimestamp, nowMs),
    peer.connected ? '' : oneLine(peer.lastError ?? ''),
  ])
  return alignColumns([['peer', 'address', 'state', 'pending', 'last in sync', ''], ...rows])
}

function problemLine({ path, code, message, since }: ProblemStatus, nowMs: number): string {
  const where = path === null ? '' : `${oneLine(path)}: `
  return `${where}${oneLine(message)} (${code}, since ${ago(since, nowMs)})`
}

function section(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0 || (lines.length === 1 && lines[0] === '0')) return []
  return ['', `${title}:`, ...lines.map((line) => `  ${line}`)]
}

/** `3 s ago`; `never` for null. */
function ago(timestamp: string | null, nowMs: number): string {
  if (timestamp === null) return 'never'
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(timestamp)) / 1000))
  if (!Number.isFinite(seconds)) return 'unknown'
  if (seconds < 120) return `${seconds} s ago`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`
  return seconds < 172_800
    ? `${Math.round(seconds / 3600)} h ago`
    : `${Math.round(seconds / 86_400)} days ago`
}

function bytes(size: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(size, 1)) / 10))
  const value = size / 1024 ** power
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`
}

function count(amount: number, noun: string): string {
  return plural(amount, noun, `${noun}s`)
}

function plural(amount: number, one: string, many: string): string {
  return `${amount} ${amount === 1 ? one : many}`
}
