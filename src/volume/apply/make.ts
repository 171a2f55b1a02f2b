import type { DirectoryEntry, SymlinkEntry } from '../../core/entry.ts'
import type { Observation } from '../../core/observation.ts'
import type { Applied } from '../../engine/ports.ts'
import { errnoOf, type DiskPath } from '../disk.ts'
import { stagingDirectory } from '../ground/layout.ts'
import { isAsObserved, toObservation } from '../look.ts'
import { removeIfThere } from '../staging/stage.ts'
import { withAccess } from './access.ts'
import { changed, directoryOf, type ApplyContext, type NotApplied } from './context.ts'
import { holdPlace, takeAway, type HoldPlace, type Taken } from './hold.ts'
import { introduce } from './introduce.ts'
import { directoryMode } from './metadata.ts'

/** Makes a symlink in staging and gives it its name. */
export async function makeSymlink(
  context: ApplyContext,
  { entry, expected }: { readonly entry: SymlinkEntry; readonly expected: Observation | null },
): Promise<Applied> {
  const { disk, ids } = context
  const staged = `${stagingDirectory}/${ids.id64()}`
  const make = (path: DiskPath): void => {
    disk.symlink(entry.target, path)
    disk.setMtime(path, entry.mtimeUs)
  }
  let isLeft = true
  make(staged)
  try {
    const applied = await introduce(context, {
      staged,
      to: entry.path,
      expected,
      remake: async (path) => make(path),
    })
    isLeft = applied.kind !== 'applied' || disk.lstat(staged) !== null
    return applied
  } finally {
    if (isLeft) removeIfThere(disk, staged)
  }
}

/** Makes a directory, also where a file or link is expected: that is taken into hold first, so there is a moment of neither. */
export function makeDirectory(
  context: ApplyContext,
  { entry, expected }: { readonly entry: DirectoryEntry; readonly expected: Observation | null },
): Applied {
  const hold = expected === null ? null : holdPlace(context, entry.path, expected)
  return withAccess(context, entry.path, () =>
    expected === null || hold === null
      ? makeThere(context, entry, null)
      : makeInstead(context, { entry, expected, hold }),
  )
}

function makeInstead(
  context: ApplyContext,
  {
    entry,
    expected,
    hold,
  }: { readonly entry: DirectoryEntry; readonly expected: Observation; readonly hold: HoldPlace },
): Applied {
  if (!isAsObserved(context.disk.lstat(entry.path), expected)) return changed
  const taken = takeAway(context, { path: entry.path, expected, hold })
  switch (taken.kind) {
    case 'taken':
      return makeThere(context, entry, taken)
    case 'displaced':
    case 'changed':
    case 'not-empty':
    case 'failed':
      return displacedOr(taken)
  }
}

/** What was changed meanwhile must become a conflict copy though nothing was made: the name holds somebody's other thing. */
function displacedOr(taken: Exclude<Taken, { readonly kind: 'taken' }>): Applied {
  return taken.kind === 'displaced'
    ? { kind: 'applied', observation: null, hold: taken.hold, displaced: true }
    : taken
}

function makeThere(
  { disk, touched, keepsModes }: ApplyContext,
  entry: DirectoryEntry,
  taken: Extract<Taken, { readonly kind: 'taken' }> | null,
): Applied {
  const { path } = entry
  try {
    disk.mkdir(path, entry.mode & 0o777)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') {
      taken?.drop()
      return changed satisfies NotApplied
    }
    taken?.restore()
    throw error
  }
  if (taken !== null && taken.hold === null) taken.drop()
  touched.add(directoryOf(path))
  touched.add(path)
  const made = disk.lstat(path)
  if (made?.kind !== 'directory') return changed
  const mode = directoryMode(entry, made)
  if (keepsModes && mode !== made.mode) disk.chmod(path, mode)
  const after = disk.lstat(path)
  const observation = after === null ? null : toObservation(after)
  if (observation?.kind !== 'directory') return changed
  return { kind: 'applied', observation, hold: taken?.hold ?? null, displaced: false }
}
