import { closeSync, constants, copyFile, fstatSync, openSync, unlinkSync } from 'node:fs'
import { promisify } from 'node:util'
import { writeRuns } from '../write-runs.ts'
import { readAt, writableFile } from './open-file.ts'
import { placeOf, type Place } from './walk.ts'

const copyTo = promisify(copyFile)

/** One read; enough for calls not to count. */
const readBytes = 1024 * 1024

/** stat(2) counts in these, whatever the blocks of the file system are. */
const statBlockBytes = 512

/**
 * Makes a new file at `place` with the bytes and mode of what `source` is open on: a reflink where the file system can, else a copy with holes
 * where the source has them. Errors are those of `node:fs` or DiskErrors; EEXIST when anything is there.
 */
export async function copyFileTo(source: number, place: Place): Promise<void> {
  const { size, blocks, mode } = fstatSync(source)
  const { COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE } = constants
  if (blocks * statBlockBytes >= size)
    return copyTo(placeOf(source), place, COPYFILE_EXCL | COPYFILE_FICLONE)
  try {
    // What copies without a reflink writes the zeros out.
    await copyTo(placeOf(source), place, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw error
    await copySparse(source, place, mode & 0o777)
  }
}

async function copySparse(source: number, place: Place, mode: number): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const fd = openSync(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
  try {
    const file = writableFile(fd)
    file.setMode(mode)
    const memory = new Uint8Array(readBytes)
    for (let position = 0; ;) {
      const bytes = await readAt(source, position, readBytes, memory)
      if (bytes.length === 0) return
      await writeRuns(file, bytes)
      position += bytes.length
    }
  } catch (error) {
    unlinkSync(place)
    throw error
  } finally {
    closeSync(fd)
  }
}
