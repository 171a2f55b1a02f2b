import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsync,
  ftruncateSync,
  futimesSync,
  read,
  readSync,
  write,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import type { Digest } from '../../core/digest.ts'
import type { DiskStat, ReadableFile, WritableFile } from '../disk.ts'
import { toDiskError, toDiskStat } from './disk-stat.ts'
import { timeOf } from './time.ts'

const readFrom = promisify(read)
const writeTo = promisify(write)
const syncTo = promisify(fsync)

/** Up to this much is read and written at once: it costs the event loop less than handing it to a thread does. */
const atOnceBytes = 64 * 1024

/** How an open file of a known size is hashed. */
export type HashFile = (
  fd: number,
  sizeBytes: number,
) => Promise<{ readonly digest: Digest; readonly sizeBytes: number }>

/** A file that is being written through `fd`; syncs and what is large on threads of libuv, everything else at once. */
export function writableFile(fd: number): WritableFile {
  let position = 0
  return {
    fd,
    write: async (chunk) => {
      for (let written = 0; written < chunk.length;) {
        const count = await writePart(fd, chunk.subarray(written), position)
        written += count
        position += count
      }
    },
    skip: (byteCount) => {
      called('ftruncate', () => ftruncateSync(fd, position + byteCount))
      position += byteCount
    },
    setMode: (mode) => called('chmod', () => fchmodSync(fd, mode)),
    setMtime: (mtimeUs) => called('utimes', () => futimesSync(fd, timeNow(), timeOf(mtimeUs))),
    stat: () => statOf(fd),
    sync: () => calling('fsync', () => syncTo(fd)),
    close: () => closeQuietly(fd),
  }
}

/** A file that is read through `fd`. */
export function readableFile(fd: number, hashFile: HashFile): ReadableFile {
  return {
    stat: () => statOf(fd),
    read: (position, maxBytes, memory) => readAt(fd, position, maxBytes, memory),
    sha256: () => hashFile(fd, statOf(fd).sizeBytes),
    close: () => closeQuietly(fd),
  }
}

async function writePart(fd: number, part: Uint8Array, position: number): Promise<number> {
  const { length } = part
  if (length <= atOnceBytes) return called('write', () => writeSync(fd, part, 0, length, position))
  const { bytesWritten } = await calling('write', () => writeTo(fd, part, 0, length, position))
  return bytesWritten
}

/** At most `maxBytes` of an open file from `position`, in `memory` where there is room. */
export async function readAt(
  fd: number,
  position: number,
  maxBytes: number,
  memory?: Uint8Array,
): Promise<Uint8Array> {
  const buffer =
    memory === undefined || memory.length < maxBytes ? Buffer.allocUnsafe(maxBytes) : memory
  if (maxBytes <= atOnceBytes) {
    return buffer.subarray(
      0,
      called('read', () => readSync(fd, buffer, 0, maxBytes, position)),
    )
  }
  const { bytesRead } = await calling('read', () => readFrom(fd, buffer, 0, maxBytes, position))
  return buffer.subarray(0, bytesRead)
}

/** Runs a synchronous call of `node:fs`; what it throws becomes a DiskError. */
export function called<T>(operation: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw toDiskError(error, operation)
  }
}

/** Runs an asynchronous call of `node:fs`; what it rejects with becomes a DiskError. */
export async function calling<T>(operation: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toDiskError(error, operation)
  }
}

function statOf(fd: number): DiskStat {
  return called('fstat', () => toDiskStat(fstatSync(fd, { bigint: true })))
}

function timeNow(): number {
  return Date.now() / 1000
}

/** Not on a thread: closes that wait behind the syncs of other files would pile up descriptors. */
function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // The descriptor is gone all the same, and data that must last was synced before.
  }
}
