import { sameObservation, type Observation } from '../../core/observation.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { ExpectedFile } from '../../engine/ports.ts'
import { errnoOf, type DiskPath, type DiskStat } from '../disk.ts'
import { giveBack, holdPathOf } from '../held.ts'
import { toObservation } from '../look.ts'
import { makeBeside, type Beside } from './beside.ts'
import { changed, isSameFile, type ApplyContext, type NotApplied } from './context.ts'

/** The place in `.synd/hold` that one change may use, however often it is attempted. */
export interface HoldPlace {
  readonly id: string
  readonly path: DiskPath
  /** What the index says of the file; after a link of ours was taken back, the same with the ctime that this gave it. */
  expected(): Observation
  /** Writes the hold into the index, the first time; must come before anything is moved there. */
  record(): void
  /** The link in hold is gone again and the file shows `stat`: an attempt came to nothing. */
  unlinked(stat: DiskStat | null): void
}

/** Records places for many files at one go; each is used by the next change at its path, if that expects the same. Gives their ids. */
export function prepareHolds(
  { ids, recordHolds, preparedHolds }: HoldingContext,
  files: readonly ExpectedFile[],
): readonly string[] {
  const holds = files.map(({ path, expected }) => ({ id: ids.id64(), path, expected }))
  if (holds.length > 0) recordHolds(holds)
  preparedHolds.clear()
  for (const hold of holds) preparedHolds.set(hold.path, hold)
  return holds.map(({ id }) => id)
}

/** Draws a place for what `path` holds now. */
export function holdPlace(
  { ids, recordHolds, preparedHolds }: HoldingContext,
  path: RelativePath,
  expected: Observation,
): HoldPlace {
  const prepared = preparedHolds.get(path) ?? null
  preparedHolds.delete(path)
  const isPrepared = prepared !== null && sameObservation(prepared.expected, expected)
  const id = isPrepared ? prepared.id : ids.id64()
  let isRecorded = isPrepared
  let current = expected
  return {
    id,
    path: holdPathOf(id),
    expected: () => current,
    unlinked: (stat) => {
      const now = stat === null ? null : toObservation(stat)
      if (now !== null && isSameFile(stat, expected)) current = now
    },
    record: () => {
      if (!isRecorded) recordHolds([{ id, path, expected }])
      isRecorded = true
    },
  }
}

type HoldingContext = Pick<ApplyContext, 'ids' | 'recordHolds' | 'preparedHolds'>

/** `taken`: the name is free and what it held is as expected, kept in `hold` or, on another mount, beside until `drop`. */
export type Taken =
  | {
      readonly kind: 'taken'
      readonly hold: string | null
      /** What was taken is no longer needed; only where no hold keeps it, or where the change ends without the hold. */
      drop(): void
      /** Gives the name back, unless somebody took it. */
      restore(): void
    }
  /** Somebody changed it, and somebody put another thing in its place meanwhile: what was taken must become a conflict copy. */
  | { readonly kind: 'displaced'; readonly hold: string }
  | NotApplied

/**
 * Frees the name of a file or link: renames it into hold, and compares there, where nobody replaces it. What is not as expected gets
 * its name back by `link`, which takes no name that is taken.
 */
export function takeAway(
  context: ApplyContext,
  { path, expected, hold }: { path: RelativePath; expected: Observation; hold: HoldPlace },
): Taken {
  const { disk } = context
  hold.record()
  const { heldPath, beside } = moveAway(context, path, hold)
  const drop = (): void => {
    if (beside !== null) beside.remove()
    else disk.unlink(heldPath)
  }
  if (isSameFile(disk.lstat(heldPath), expected)) {
    return {
      kind: 'taken',
      hold: beside === null ? hold.id : null,
      drop,
      restore: () => void giveBack(disk, heldPath, path),
    }
  }
  if (giveBack(disk, heldPath, path)) {
    beside?.remove()
    return changed
  }
  if (beside === null && disk.lstat(heldPath)?.kind === 'file') {
    return { kind: 'displaced', hold: hold.id }
  }
  const message = `replaced twice while it was removed; what was there first is kept in ${heldPath}`
  return { kind: 'failed', code: 'apply-failed', message }
}

function moveAway(
  context: ApplyContext,
  path: RelativePath,
  hold: HoldPlace,
): { heldPath: DiskPath; beside: Beside | null } {
  try {
    context.disk.rename(path, hold.path)
    return { heldPath: hold.path, beside: null }
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') throw error
    const beside = makeBeside(context, path, 'hold')
    context.disk.rename(path, beside.path)
    return { heldPath: beside.path, beside }
  }
}
