import type { Status } from '../../core/status.ts'

/** The status as all may see it but local users: without paths, `problems` and `conflicts` as counts. */
export type PublicStatus = Omit<Status, 'volume' | 'problems' | 'conflicts'> & {
  readonly volume: Omit<Status['volume'], 'path'>
  readonly problems: number
  readonly conflicts: number
}

/** Leaves out what names files or directories of this host. */
export function withoutPaths(status: Status): PublicStatus {
  const { path, haltedBecause, ...volume } = status.volume
  return {
    ...status,
    volume: { ...volume, haltedBecause: haltedBecause?.replaceAll(path, 'the volume') ?? null },
    problems: status.problems.length,
    conflicts: status.conflicts.length,
  }
}
