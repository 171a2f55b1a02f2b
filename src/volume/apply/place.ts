import type { Observation } from '../../core/observation.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import { errnoOf, type DiskPath } from '../disk.ts'
import { isNoLink } from '../held.ts'
import { isAsObserved } from '../look.ts'
import { removeIfThere } from '../staging/stage.ts'
import { changed, isSameFile, type ApplyContext, type NotApplied } from './context.ts'
import type { HoldPlace } from './hold.ts'

/** A whole file or link in staging (or beside its target) and the name that it is to get. */
export interface Newcomer {
  readonly from: DiskPath
  readonly to: RelativePath
  /** What the index says has the name: nothing, a file or a link. */
  readonly expected: Observation | null
}

export type Placed =
  | { readonly kind: 'placed'; readonly hold: string | null; readonly displaced: boolean }
  | NotApplied

/** Gives a newcomer its name, in one go: at every moment the name leads to the old thing or to the new one (G3, rule 22). */
export function place(context: ApplyContext, newcomer: Newcomer, hold: HoldPlace | null): Placed {
  const { expected } = newcomer
  if (expected === null) return placeNew(context, newcomer)
  return hold === null
    ? replaceUnheld(context, newcomer, expected)
    : replaceHeld(context, newcomer, hold)
}

/** `link` takes no name that something has. */
function placeNew({ disk }: ApplyContext, { from, to }: Newcomer): Placed {
  try {
    disk.link(from, to)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return changed
    if (!isNoLink(error)) throw error
    if (disk.lstat(to) !== null) return changed
    disk.rename(from, to)
    return { kind: 'placed', hold: null, displaced: false }
  }
  disk.unlink(from)
  return { kind: 'placed', hold: null, displaced: false }
}

/**
 * Replaces a file that the hold keeps: a second link to it is made, and only then, if the name still leads to it, the newcomer takes
 * the name. Bytes written into the old file until then are in the hold and make it `displaced`. What cannot be caught is another
 * file renamed to this name between the last look and the rename; renameat2(RENAME_EXCHANGE) could, and Node has none.
 */
function replaceHeld(context: ApplyContext, newcomer: Newcomer, hold: HoldPlace): Placed {
  const { disk } = context
  const { from, to } = newcomer
  const expected = hold.expected()
  if (!isAsObserved(disk.lstat(to), expected)) return changed
  hold.record()
  try {
    disk.link(to, hold.path)
  } catch (error) {
    if (!isNoLink(error) && errnoOf(error) !== 'EXDEV') throw error
    const placed = replaceUnheld(context, newcomer, expected)
    // The record is there to be released, though it holds nothing.
    return placed.kind === 'placed' ? { ...placed, hold: hold.id } : placed
  }
  try {
    if (!isSameFile(disk.lstat(to), expected) || !isSameFile(disk.lstat(hold.path), expected)) {
      disk.unlink(hold.path)
      return changed
    }
    disk.rename(from, to)
  } catch (error) {
    removeIfThere(disk, hold.path)
    hold.unlinked(disk.lstat(to))
    throw error
  }
  const isUntouched = isSameFile(disk.lstat(hold.path), expected)
  return { kind: 'placed', hold: hold.id, displaced: !isUntouched }
}

/** Replaces what no second link can be made of, or what nobody can write into: a symlink. */
function replaceUnheld(
  context: ApplyContext,
  { from, to }: Newcomer,
  expected: Observation,
): Placed {
  if (!isAsObserved(context.disk.lstat(to), expected)) return changed
  context.disk.rename(from, to)
  return { kind: 'placed', hold: null, displaced: false }
}
