import { closeSync, fchmodSync, fstatSync, fsync, futimesSync, read, write } from 'node:fs'
import { promisify } from 'node:util'
import type { Digest } from '../../core/digest.ts'
import type { DiskStat, ReadableFile, WritableFile } from '../disk.ts'
import { toDiskError, toDiskStat } from './disk-stat.ts'
import { timeOf } from './time.ts'

const readFrom = promisify(read)
const writeTo = promisify(write)
const syncTo = promisify(fsync)

/** How an open file of a known size is hashed. */
export type HashFile = (
  fd: number,
  sizeBytes: number,
) => Promise<{ readonly digest: Digest; readonly sizeBytes: number }>

/** A file that is being written through `fd`; reads and writes on threads of libuv, everything else at once. */
export function writableFile(fd: number): WritableFile {
  return {
    write: async (chunk) => {
      for (let written = 0; written < chunk.length;) {
        const { bytesWritten } = await calling('write', () =>
          writeTo(fd, chunk, written, chunk.length - written, null),
        )
        written += bytesWritten
      }
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
    read: (position, maxBytes) => readAt(fd, position, maxBytes),
    sha256: () => hashFile(fd, statOf(fd).sizeBytes),
    close: () => closeQuietly(fd),
  }
}

/** At most `maxBytes` of an open file from `position`. */
export async function readAt(fd: number, position: number, maxBytes: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(maxBytes)
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
