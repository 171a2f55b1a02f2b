import type { Observation } from '../../core/observation.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Applied } from '../../engine/ports.ts'
import { errnoOf, DiskError, type Disk, type DiskPath } from '../disk.ts'
import { withAccess } from './access.ts'
import { makeBeside } from './beside.ts'
import { changed, directoryOf, readBack, type ApplyContext, type NotApplied } from './context.ts'
import { holdPlace } from './hold.ts'
import { place, type Newcomer } from './place.ts'
import { removeDirectory } from './remove.ts'

/** A file or link that was made in staging. */
export interface Introduction {
  readonly staged: DiskPath
  readonly to: RelativePath
  readonly expected: Observation | null
  /** Makes the same once more under another name, for a target on another mount. */
  readonly remake: (path: DiskPath) => Promise<void>
}

/** Gives what is staged its name, over whatever the index says has it, and reads it back. */
export async function introduce(
  context: ApplyContext,
  { staged, to, expected, remake }: Introduction,
): Promise<Applied> {
  const cleared = clearDirectory(context, to, expected)
  if (cleared !== null) return cleared
  const replaced = expected?.kind === 'directory' ? null : expected
  // A link's text cannot be changed in place: there is nothing that a hold would catch.
  const hold = replaced?.kind === 'file' ? holdPlace(context, to, replaced) : null
  const settle = (from: DiskPath): Applied =>
    withAccess(context, to, () => settleAt(context, { from, to, expected: replaced }, hold))
  try {
    return settle(staged)
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') {
      restoreDirectory(context.disk, to, expected)
      throw error
    }
  }
  const beside = makeBeside(context, to, 'stage')
  try {
    await remake(beside.path)
    return settle(beside.path)
  } finally {
    beside.remove()
  }
}

function settleAt(
  context: ApplyContext,
  newcomer: Newcomer,
  hold: Parameters<typeof place>[2],
): Applied {
  const { disk, touched } = context
  const { from, to } = newcomer
  const staged = disk.lstat(from)
  // Somebody emptied staging.
  if (staged === null) return changed
  const placed = place(context, newcomer, hold)
  if (placed.kind !== 'placed') return placed
  touched.add(directoryOf(to))
  return {
    kind: 'applied',
    observation: readBack(disk, to, staged),
    hold: placed.hold,
    displaced: placed.displaced,
  }
}

/** A directory that is in the way is removed first: no call replaces one by something else, so there is a moment of neither. */
function clearDirectory(
  context: ApplyContext,
  path: RelativePath,
  expected: Observation | null,
): NotApplied | null {
  if (expected?.kind !== 'directory') return null
  return withAccess(context, path, () => removeDirectory(context, path, expected))
}

function restoreDirectory(disk: Disk, path: DiskPath, expected: Observation | null): void {
  if (expected?.kind !== 'directory') return
  try {
    disk.mkdir(path, expected.mode & 0o777)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
  }
}
