import { sameObservation, type Observation } from '../core/observation.ts'
import type { RelativePath } from '../core/relative-path.ts'
import type { Digested } from '../engine/ports.ts'
import { DiskError, type Disk, type DiskStat } from './disk.ts'
import { toObservation } from './look.ts'
import { sha256OfLatin1 } from './sha256.ts'

/** SHA-256 of a file or a symlink's text, provided that it is as observed before it is read and after. */
export async function digestOf(
  disk: Disk,
  path: RelativePath,
  observed: Observation,
): Promise<Digested> {
  try {
    return observed.kind === 'file'
      ? await digestFile(disk, path, observed)
      : digestSymlink(disk, path, observed)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    return goneErrnos.has(error.errno)
      ? { kind: 'changed' }
      : { kind: 'unreadable', message: error.message }
  }
}

/** Nothing there, or something of another kind. */
const goneErrnos: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'EISDIR',
  'EINVAL',
  'ENXIO',
])

async function digestFile(
  disk: Disk,
  path: RelativePath,
  observed: Observation,
): Promise<Digested> {
  // Wherever its directory is by now: it is the file that was observed, or another one, which shows.
  const file = disk.together(() => disk.openForReading(path))
  try {
    if (!isAsObserved(file.stat(), observed)) return { kind: 'changed' }
    const { digest, sizeBytes } = await file.sha256()
    const isUnchanged = sizeBytes === observed.sizeBytes && isAsObserved(file.stat(), observed)
    return isUnchanged ? { kind: 'digested', digest, target: null } : { kind: 'changed' }
  } finally {
    file.close()
  }
}

function digestSymlink(disk: Disk, path: RelativePath, observed: Observation): Digested {
  if (!isAsObserved(disk.lstat(path), observed)) return { kind: 'changed' }
  const target = disk.readlink(path)
  return isAsObserved(disk.lstat(path), observed)
    ? { kind: 'digested', digest: sha256OfLatin1(target), target }
    : { kind: 'changed' }
}

function isAsObserved(stat: DiskStat | null, observed: Observation): boolean {
  const now = stat === null ? null : toObservation(stat)
  return now !== null && sameObservation(now, observed)
}
