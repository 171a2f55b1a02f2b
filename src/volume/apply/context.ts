import type { Hold } from '../../core/index-record.ts'
import type { Observation } from '../../core/observation.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Applied, ExpectedFile } from '../../engine/ports.ts'
import type { Disk, DiskPath, DiskStat } from '../disk.ts'
import type { Ids } from '../ground/layout.ts'
import { toObservation } from '../look.ts'

/** What every change of the volume needs. */
export interface ApplyContext {
  readonly disk: Disk
  readonly ids: Ids
  /** Durable when it returns (rule 22); throws SyndError. */
  readonly recordHolds: (holds: readonly Hold[]) => void
  /** By path: recorded already, for the change that is to come. */
  readonly preparedHolds: Map<RelativePath, Hold & ExpectedFile>
  readonly isDurable: boolean
  readonly keepsModes: boolean
  /** Directories that were changed and are not synced yet. */
  readonly touched: Set<DiskPath>
  /** Files that wait beside their targets (beside.ts). */
  readonly besides: Set<DiskPath>
}

/** The outcomes of a change in which the disk is not as it was to become. */
export type NotApplied = Exclude<Applied, { readonly kind: 'applied' }>

/** The disk is not as the index says. */
export const changed: NotApplied = { kind: 'changed' }

/** The directory that holds `path`; the root is ''. */
export function directoryOf(path: DiskPath): DiskPath {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

/** The same file with the same bytes and mode; a link, unlink or rename of our own in between moved its ctime, which does not count. */
export function isSameFile(stat: DiskStat | null, observed: Observation): boolean {
  return (
    stat !== null &&
    stat.kind === observed.kind &&
    stat.inode === observed.inode &&
    stat.device === observed.device &&
    stat.mode === observed.mode &&
    stat.mtimeNs === observed.mtimeNs &&
    stat.sizeBytes === observed.sizeBytes
  )
}

/**
 * What the index is to know of a file that was just given its name, where it is read back last of all (rule 13). When somebody was
 * faster and already changed or replaced it, what it was in staging: the next look then finds a change upon what was published.
 */
export function readBack(disk: Disk, path: DiskPath, staged: DiskStat): Observation | null {
  const asStaged = toObservation(staged)
  const now = disk.lstat(path)
  const isOurs = now !== null && asStaged !== null && isSameFile(now, asStaged)
  return isOurs ? toObservation(now) : asStaged
}
