import type { Digest } from '../../core/digest.ts'
import { SyndError } from '../../core/errors.ts'
import type { Observation } from '../../core/observation.ts'
import { DiskError, errnoOf, type Disk, type DiskPath, type ReadableFile } from '../disk.ts'
import { holdPathOf } from '../held.ts'
import { stagingDirectory, type Ids } from '../ground/layout.ts'
import { toObservation } from '../look.ts'
import { sha256 } from '../sha256.ts'
import {
  dress,
  FileStage,
  removeIfThere,
  stageError,
  type StageExpectation,
  type StageOptions,
} from './stage.ts'

/** What every stage of a volume is made with. */
export interface Staging {
  readonly disk: Disk
  readonly ids: Ids
  readonly isDurable: boolean
  readonly keepsModes: boolean
}

/** Up to this size a local file is read at once; above, it is copied, as a reflink where the file system can. */
const smallBytes = 256 * 1024

/** A file that somebody still writes is read again this often before the next try is left to the caller. */
const holdAttempts = 3

/** A stage for a file that is about to come; its name says nothing of the file's, which may have 255 bytes. */
export function createStage(staging: Staging, expected: StageExpectation): FileStage {
  return new FileStage(stageOptions(staging, expected))
}

/**
 * A finished stage with the bytes of a file that is here already; null when it is not there, cannot be read, or holds something else.
 * Throws SyndError `no-space` or `io` when the stage cannot be written.
 */
export async function stageCopy(
  staging: Staging,
  from: DiskPath,
  expected: StageExpectation,
): Promise<FileStage | null> {
  const source = openRegular(staging.disk, from)
  if (source === null) return null
  try {
    if (source.stat().sizeBytes !== expected.sizeBytes) return null
    if (expected.sizeBytes > smallBytes) return await copyLarge(staging, from, expected)
    const bytes = await readOrNull(() => source.read(0, expected.sizeBytes + 1))
    if (bytes?.length !== expected.sizeBytes || sha256(bytes) !== expected.digest) return null
    const stage = createStage(staging, expected)
    await stage.write(bytes)
    await stage.finish()
    return stage
  } finally {
    source.close()
  }
}

/** What a held file holds, as a stage of its own; null when there is no such file. Throws SyndError `io` while somebody writes it. */
export async function stageHeld(
  staging: Staging,
  id: string,
): Promise<{
  stage: FileStage
  digest: Digest
  sizeBytes: number
  observation: Observation
} | null> {
  const path = holdPathOf(id)
  for (let attempt = 0; attempt < holdAttempts; attempt++) {
    const held = await readHeld(staging.disk, path)
    if (held === null) return null
    const stage = await stageCopy(staging, path, held)
    if (stage !== null) return { stage, ...held }
  }
  throw new SyndError('io', 'a held file is still being written', { retryable: true })
}

/** Removes what a former life left in staging. */
export function sweepStaging(disk: Disk, leftovers: readonly string[]): void {
  for (const name of leftovers) removeIfThere(disk, `${stagingDirectory}/${name}`)
}

async function readHeld(
  disk: Disk,
  path: DiskPath,
): Promise<{ digest: Digest; sizeBytes: number; observation: Observation } | null> {
  const file = openRegular(disk, path)
  if (file === null) return null
  try {
    const observation = toObservation(file.stat())
    const hashed = await file.sha256()
    return observation === null ? null : { ...hashed, observation }
  } catch (error) {
    throw stageError(error)
  } finally {
    file.close()
  }
}

async function copyLarge(
  staging: Staging,
  from: DiskPath,
  expected: StageExpectation,
): Promise<FileStage | null> {
  const { disk } = staging
  const options = stageOptions(staging, expected)
  try {
    await disk.copy(from, options.path)
    if (staging.keepsModes) disk.chmod(options.path, 0o600)
    if (!(await holds(disk, options.path, expected))) {
      removeIfThere(disk, options.path)
      return null
    }
    const file = disk.openForWriting(options.path)
    try {
      dress(file, options)
      if (options.isDurable) await file.sync()
    } finally {
      file.close()
    }
    return new FileStage({ ...options, isWhole: true })
  } catch (error) {
    if (error instanceof DiskError) removeIfThere(disk, options.path)
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return null
    throw stageError(error)
  }
}

async function holds(disk: Disk, path: DiskPath, expected: StageExpectation): Promise<boolean> {
  const file = disk.openForReading(path)
  try {
    const { digest, sizeBytes } = await file.sha256()
    return digest === expected.digest && sizeBytes === expected.sizeBytes
  } finally {
    file.close()
  }
}

function openRegular(disk: Disk, path: DiskPath): ReadableFile | null {
  try {
    // What is read is hashed, wherever its directory is by now.
    const file = disk.together(() => disk.openForReading(path))
    if (file.stat().kind === 'file') return file
    file.close()
    return null
  } catch (error) {
    if (error instanceof DiskError) return null
    throw error
  }
}

async function readOrNull<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof DiskError) return null
    throw error
  }
}

function stageOptions(staging: Staging, expected: StageExpectation): StageOptions {
  const { disk, ids, isDurable, keepsModes } = staging
  const path = `${stagingDirectory}/${ids.id64()}`
  return { disk, path, expected, isDurable, keepsModes }
}
