import type { BigIntStats } from 'node:fs'
import { DiskError, type DiskKind, type DiskStat } from '../disk.ts'

/** What `node:fs` found, in the port's words. */
export function toDiskStat(stats: BigIntStats): DiskStat {
  return {
    kind: kindOf(stats),
    mode: Number(stats.mode) & 0o7777,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    birthtimeNs: stats.birthtimeNs,
    sizeBytes: Number(stats.size),
    inode: stats.ino,
    device: stats.dev,
    owner: { uid: Number(stats.uid), gid: Number(stats.gid) },
  }
}

function kindOf(stats: BigIntStats): DiskKind {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isFIFO()) return 'fifo'
  return stats.isSocket() ? 'socket' : 'device'
}

/** An error of `node:fs` as a DiskError; what is none is a bug and comes back as it is. */
export function toDiskError(error: unknown, operation: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string')
    return error
  return new DiskError(error.code, `${operation}: ${error.code}`, { cause: error })
}
