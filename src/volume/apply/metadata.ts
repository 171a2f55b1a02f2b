import type { DirectoryEntry, LiveEntry } from '../../core/entry.ts'
import { sameObservation, toMicroseconds, type Observation } from '../../core/observation.ts'
import type { Applied } from '../../engine/ports.ts'
import { errnoOf, type DiskStat } from '../disk.ts'
import { toObservation } from '../look.ts'
import { withAccess } from './access.ts'
import { changed, directoryOf, type ApplyContext } from './context.ts'

/** Sets mode and mtime of what is there as the entry says, as far as they differ, and brings them to the disk. */
export async function setMetadata(
  context: ApplyContext,
  { entry, expected }: { readonly entry: LiveEntry; readonly expected: Observation },
): Promise<Applied> {
  const applied = withAccess(context, entry.path, () => setAt(context, entry, expected))
  if (applied.kind === 'applied') await bringToDisk(context, entry)
  return applied
}

/** The announced permissions with the set-id and sticky bits that the directory has here (rule 13: fsGroup's set-gid stays). */
export function directoryMode(entry: DirectoryEntry, here: { readonly mode: number }): number {
  return (entry.mode & 0o777) | (here.mode & 0o7000)
}

function setAt(
  { disk, keepsModes }: ApplyContext,
  entry: LiveEntry,
  expected: Observation,
): Applied {
  const { path } = entry
  const before = disk.lstat(path)
  const observed = before === null ? null : toObservation(before)
  if (before === null || observed === null || !sameObservation(observed, expected)) return changed
  if (before.kind !== entry.kind) return changed
  const mode = wantedMode(entry, before)
  if (keepsModes && mode !== before.mode) disk.chmod(path, mode)
  // Close upon the look: bytes written in between would get the old mtime. There is no call that compares and sets.
  const setsMtime = entry.kind !== 'directory' && toMicroseconds(before.mtimeNs) !== entry.mtimeUs
  if (setsMtime) disk.setMtime(path, entry.mtimeUs)
  const after = disk.lstat(path)
  const observation = after === null ? null : toObservation(after)
  if (after === null || observation === null || after.inode !== before.inode) return changed
  const hasMtime =
    entry.kind === 'directory' ||
    (setsMtime ? toMicroseconds(after.mtimeNs) === entry.mtimeUs : after.mtimeNs === before.mtimeNs)
  const isUntouched = entry.kind === 'directory' || after.sizeBytes === before.sizeBytes
  if (!hasMtime || !isUntouched) return changed
  return { kind: 'applied', observation, hold: null, displaced: false }
}

function wantedMode(entry: LiveEntry, before: DiskStat): number {
  switch (entry.kind) {
    case 'file':
      return entry.mode & 0o777
    case 'directory':
      return directoryMode(entry, before)
    case 'symlink':
      return before.mode
  }
}

async function bringToDisk(
  { disk, isDurable, touched }: ApplyContext,
  entry: LiveEntry,
): Promise<void> {
  touched.add(entry.kind === 'directory' ? entry.path : directoryOf(entry.path))
  if (!isDurable || entry.kind !== 'file') return
  try {
    await disk.syncFile(entry.path)
  } catch (error) {
    // Not readable for us, or gone meanwhile: the directory's sync is the best that is left.
    const errno = errnoOf(error)
    if (errno !== 'EACCES' && errno !== 'ENOENT' && errno !== 'ENOTDIR' && errno !== 'ELOOP') {
      throw error
    }
  }
}
