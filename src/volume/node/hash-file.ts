import { readSync } from 'node:fs'
import { sha256, startSha256 } from '../sha256.ts'
import type { HashPool } from './hash-pool.ts'
import { called, readAt, type HashFile } from './open-file.ts'

/** Hashed in a thread from this size on; below, the hand-over costs more than it saves. */
const threadedBytes = 4 * 1024 * 1024

/** Read at once and hashed on the event loop, which it keeps for a quarter of a millisecond. */
const chunkBytes = 256 * 1024

/** A smaller file is read and hashed in one go. */
const atOnceBytes = 64 * 1024

/** Hashes small files on the event loop, a chunk at a time, and large ones in the pool. */
export function hashFileWith(pool: HashPool): HashFile {
  // For one file after the other: what ten thousand took one by one stays in the holes of the heap (malloc(3)) when they are hashed.
  const shared = new Uint8Array(atOnceBytes)
  return async (fd, expectedBytes) => {
    if (expectedBytes >= threadedBytes) return pool.hash(fd)
    if (expectedBytes < atOnceBytes) {
      const sizeBytes = called('read', () => readSync(fd, shared, 0, atOnceBytes, 0))
      // Else it grew and may go on.
      if (sizeBytes < atOnceBytes)
        return { digest: sha256(shared.subarray(0, sizeBytes)), sizeBytes }
    }
    return hashChunks(fd, expectedBytes)
  }
}

async function hashChunks(fd: number, expectedBytes: number): ReturnType<HashFile> {
  const hash = startSha256()
  // One byte more than expected, so that the end of a small file shows with the first read.
  const memory = new Uint8Array(Math.min(chunkBytes, Math.max(expectedBytes + 1, atOnceBytes)))
  let sizeBytes = 0
  for (;;) {
    const chunk = await readAt(fd, sizeBytes, memory.length, memory)
    hash.update(chunk)
    sizeBytes += chunk.length
    if (chunk.length < memory.length) return { digest: hash.digest(), sizeBytes }
  }
}
