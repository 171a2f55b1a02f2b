import type { FileEntry } from '../../core/entry.ts'
import type { Observation } from '../../core/observation.ts'
import type { Applied, ExpectedFile } from '../../engine/ports.ts'
import { DiskError, errnoOf, type DiskPath, type DiskStat } from '../disk.ts'
import { stagingDirectory } from '../ground/layout.ts'
import { isNoLink } from '../held.ts'
import { isAsObserved, toObservation } from '../look.ts'
import { removeIfThere } from '../staging/stage.ts'
import { withAccess } from './access.ts'
import { changed, directoryOf, isSameFile, readBack, type ApplyContext } from './context.ts'
import { holdPlace, takeAway } from './hold.ts'
import { place } from './place.ts'

interface Move {
  readonly entry: FileEntry
  readonly from: ExpectedFile
}

/**
 * Renames a file to a name that nothing has. A second name in staging pins it; the new name takes none that is taken; only then the old one goes, by
 * way of the hold: whatever somebody does meanwhile, the content has one of them. `changed` also where no link can be made.
 */
export function move(context: ApplyContext, { entry, from }: Move): Applied {
  const { disk, touched } = context
  const staged = `${stagingDirectory}/${context.ids.id64()}`
  const pinned = withAccess(context, from.path, () => pin(context, from, staged))
  if (pinned === null) return changed
  const newcomer = { from: staged, to: entry.path, expected: null }
  let isPlaced = false
  try {
    const placed = withAccess(context, entry.path, () => place(context, newcomer, null))
    if (placed.kind !== 'placed') return placed
    isPlaced = true
  } finally {
    if (!isPlaced) removeIfThere(disk, staged)
  }
  touched.add(directoryOf(entry.path))
  const hold = takeFrom(context, from, nowOf(disk.lstat(entry.path), pinned) ?? from.expected)
  const observation = readBack(disk, entry.path, pinned)
  return { kind: 'applied', observation, ...hold }
}

/** Gives the file that is expected a name in staging; null when there is another one, or none can be given. */
function pin(
  { disk }: ApplyContext,
  { path, expected }: ExpectedFile,
  staged: DiskPath,
): DiskStat | null {
  if (!isAsObserved(disk.lstat(path), expected)) return null
  try {
    disk.link(path, staged)
  } catch (error) {
    if (errnoOf(error) === 'EXDEV' || isNoLink(error)) return null
    throw error
  }
  const pinned = disk.lstat(staged)
  if (isSameFile(pinned, expected)) return pinned
  removeIfThere(disk, staged)
  return null
}

/** The pinned file may be written to by now: what was written has the new name. Null: another file has that. */
function nowOf(stat: DiskStat | null, pinned: DiskStat): Observation | null {
  const isPinned = stat?.inode === pinned.inode && stat.device === pinned.device
  return isPinned ? toObservation(stat) : null
}

/** No hold: what is at the old name is another file than `current`, or cannot be taken, and stays. */
function takeFrom(
  context: ApplyContext,
  { path, expected }: ExpectedFile,
  current: Observation,
): { hold: string | null; displaced: boolean } {
  const hold = holdPlace(context, path, expected)
  const taken = unlessRefused(() =>
    withAccess(context, path, () => takeAway(context, { path, expected: current, hold })),
  )
  if (taken?.kind !== 'taken' && taken?.kind !== 'displaced')
    return { hold: null, displaced: false }
  context.touched.add(directoryOf(path))
  if (taken.kind === 'displaced') return { hold: taken.hold, displaced: true }
  // At once: it would move the ctime of the file that the index is told of. Its content has the new name.
  unlessRefused(() => taken.drop())
  return { hold: hold.id, displaced: false }
}

function unlessRefused<T>(attempt: () => T): T | null {
  try {
    return attempt()
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    return null
  }
}
