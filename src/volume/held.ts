import type { Hold, IndexRecord } from '../core/index-record.ts'
import { sameBytes } from '../core/observation.ts'
import type { RelativePath } from '../core/relative-path.ts'
import { DiskError, errnoOf, type Disk, type DiskPath } from './disk.ts'
import { withAccess } from './apply/access.ts'
import { directoryOf } from './apply/context.ts'
import { holdDirectory, type Ids } from './ground/layout.ts'
import { removeIfThere } from './staging/stage.ts'

/** Where the volume notes what it moves away, and what the index says; the engine's Store fits. */
export interface HoldLedger {
  /** Durable when it returns. */
  recordHolds(holds: readonly Hold[]): void
  /** All that were recorded and not released. */
  holds(): readonly Hold[]
  get(path: RelativePath): IndexRecord | null
}

/** Whether a name in `.synd/hold` is one of ours. */
export function isHoldId(name: string): boolean {
  return /^[0-9a-f]{16}$/.test(name)
}

/** Where a held file is. */
export function holdPathOf(id: string): DiskPath {
  if (!isHoldId(id)) throw new Error(`"${id}" is no hold`)
  return `${holdDirectory}/${id}`
}

/** Gives a held thing its name back where nothing has it; false when something has. */
export function giveBack(disk: Disk, heldPath: DiskPath, path: DiskPath): boolean {
  try {
    disk.link(heldPath, path)
    disk.unlink(heldPath)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    if (!isNoLink(error)) throw error
  }
  // A directory, or a file system without links. There is a moment between look and rename, and no call without.
  if (disk.lstat(path) !== null) return false
  disk.rename(heldPath, path)
  return true
}

/** Whether a link cannot be made here at all: protected_hardlinks, too many, or the file system has none (rule 22). */
export function isNoLink(error: unknown): boolean {
  const errno = errnoOf(error)
  return errno !== null && noLinkErrnos.has(errno)
}

const noLinkErrnos: ReadonlySet<string> = new Set([
  'EPERM',
  'EMLINK',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
])

/**
 * At start, before anything is looked at: a change that a crash cut short between taking a file away and what should follow is taken
 * back, as long as the index does not know of it. Else the file would seem deleted. A second link that nothing was done with is removed.
 * What remains in hold is for
 * the engine to judge (rule 22). Gives the directories that were changed.
 */
export function restoreHolds(
  { disk, ids }: { readonly disk: Disk; readonly ids: Ids },
  ledger: HoldLedger,
): Set<DiskPath> {
  const touched = new Set<DiskPath>()
  for (const hold of ledger.holds()) {
    try {
      const isBack = withAccess({ disk, ids }, hold.path, () => restoreHold(disk, ledger, hold))
      if (isBack) touched.add(directoryOf(hold.path))
    } catch (error) {
      // The directory above is gone, or closed to us: the file stays in hold.
      if (!(error instanceof DiskError)) throw error
    }
  }
  return touched
}

function restoreHold(disk: Disk, ledger: HoldLedger, { id, path, expected }: Hold): boolean {
  const heldPath = holdPathOf(id)
  const held = disk.lstat(heldPath)
  if (held === null) return false
  const there = disk.lstat(path)
  if (there !== null) {
    const isSecondLink = there.inode === held.inode && there.device === held.device
    if (isSecondLink) removeIfThere(disk, heldPath)
    return false
  }
  const known = ledger.get(path)?.observation ?? null
  if (known === null || expected === null || !sameBytes(known, expected)) return false
  return giveBack(disk, heldPath, path)
}
