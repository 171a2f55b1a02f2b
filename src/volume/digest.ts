import type { Digest } from '../core/digest.ts'
import { hasGrown, type Observation } from '../core/observation.ts'
import type { RelativePath } from '../core/relative-path.ts'
import type { Digested, KnownContent } from '../engine/ports.ts'
import { DiskError, type Disk, type ReadableFile } from './disk.ts'
import { isAsObserved, toObservation } from './look.ts'
import { sha256OfLatin1, startSha256 } from './sha256.ts'

/** What is to be hashed: as it was observed, and what the index has of it. */
interface Expected {
  readonly observed: Observation
  readonly known: KnownContent | null
}

/**
 * SHA-256 of a file or a symlink's text, provided that it is as observed before it is read and after. A file that grows meanwhile, as a log does,
 * would never be: of such a one, what was observed is hashed, if it begins with what is known.
 */
export async function digestOf(
  disk: Disk,
  path: RelativePath,
  expected: Expected,
): Promise<Digested> {
  try {
    return expected.observed.kind === 'file'
      ? await digestFile(disk, path, expected)
      : digestSymlink(disk, path, expected.observed)
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

/** Hashed on the event loop, which each keeps for a quarter of a millisecond. */
const chunkBytes = 256 * 1024

async function digestFile(
  disk: Disk,
  path: RelativePath,
  { observed, known }: Expected,
): Promise<Digested> {
  // Wherever its directory is by now: it is the file that was observed, or another one, which shows.
  const file = disk.together(() => disk.openForReading(path))
  try {
    if (isAsObserved(file.stat(), observed)) {
      const { digest, sizeBytes } = await file.sha256()
      const isUnchanged = sizeBytes === observed.sizeBytes && isAsObserved(file.stat(), observed)
      if (isUnchanged) return { kind: 'digested', digest, target: null }
    }
    const now = toObservation(file.stat())
    if (now === null || known === null || !hasGrown(observed, now)) return { kind: 'changed' }
    return await digestGrowing(file, known, observed)
  } finally {
    file.close()
  }
}

async function digestGrowing(
  file: ReadableFile,
  known: KnownContent,
  { sizeBytes }: Observation,
): Promise<Digested> {
  if (known.sizeBytes > sizeBytes) return { kind: 'changed' }
  const [before, all] = await digestsOfStarts(file, [known.sizeBytes, sizeBytes])
  return before === known.digest && all !== undefined
    ? { kind: 'growing', digest: all }
    : { kind: 'changed' }
}

/** Of as many bytes each, fewer first; those that the file does not have are left out. */
async function digestsOfStarts(file: ReadableFile, ends: readonly number[]): Promise<Digest[]> {
  const hash = startSha256()
  const memory = new Uint8Array(chunkBytes)
  const digests: Digest[] = []
  let position = 0
  for (const end of ends) {
    while (position < end) {
      const chunk = await file.read(position, Math.min(chunkBytes, end - position), memory)
      if (chunk.length === 0) return digests
      hash.update(chunk)
      position += chunk.length
    }
    digests.push(hash.soFar())
  }
  return digests
}

function digestSymlink(disk: Disk, path: RelativePath, observed: Observation): Digested {
  if (!isAsObserved(disk.lstat(path), observed)) return { kind: 'changed' }
  const target = disk.readlink(path)
  return isAsObserved(disk.lstat(path), observed)
    ? { kind: 'digested', digest: sha256OfLatin1(target), target }
    : { kind: 'changed' }
}
