import type { Observation } from '../../core/observation.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Applied } from '../../engine/ports.ts'
import { errnoOf } from '../disk.ts'
import { isAsObserved } from '../look.ts'
import { withAccess } from './access.ts'
import { changed, directoryOf, type ApplyContext, type NotApplied } from './context.ts'
import { holdPlace, takeAway, type HoldPlace } from './hold.ts'

/** Removes a file or link by way of the hold, or an empty directory. */
export function remove(
  context: ApplyContext,
  { path, expected }: { readonly path: RelativePath; readonly expected: Observation },
): Applied {
  const hold = expected.kind === 'directory' ? null : holdPlace(context, path, expected)
  const applied = withAccess(context, path, () =>
    hold === null
      ? (removeDirectory(context, path, expected) ?? gone(null, false))
      : removeFile(context, { path, expected, hold }),
  )
  if (applied.kind === 'applied') context.touched.add(directoryOf(path))
  return applied
}

/** Removes a directory that is as expected; null when it is gone, `not-empty` when something is left in it. */
export function removeDirectory(
  { disk, touched }: ApplyContext,
  path: RelativePath,
  expected: Observation,
): NotApplied | null {
  if (!isAsObserved(disk.lstat(path), expected)) return changed
  try {
    disk.rmdir(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOTEMPTY' || errnoOf(error) === 'EEXIST') return { kind: 'not-empty' }
    throw error
  }
  touched.delete(path)
  touched.add(directoryOf(path))
  return null
}

function removeFile(
  context: ApplyContext,
  { path, expected, hold }: { path: RelativePath; expected: Observation; hold: HoldPlace },
): Applied {
  if (!isAsObserved(context.disk.lstat(path), expected)) return changed
  const taken = takeAway(context, { path, expected, hold })
  switch (taken.kind) {
    case 'taken':
      if (taken.hold === null) taken.drop()
      return gone(taken.hold, false)
    case 'displaced':
      return gone(taken.hold, true)
    case 'changed':
    case 'not-empty':
    case 'failed':
      return taken
  }
}

function gone(hold: string | null, displaced: boolean): Applied {
  return { kind: 'applied', observation: null, hold, displaced }
}
