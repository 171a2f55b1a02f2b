import { startSha256 } from '../sha256.ts'
import type { HashPool } from './hash-pool.ts'
import { readAt, type HashFile } from './open-file.ts'

/** Hashed in a thread from this size on; below, the hand-over costs more than it saves. */
const threadedBytes = 4 * 1024 * 1024

/** Read at once and hashed on the event loop, which it keeps for a quarter of a millisecond. */
const chunkBytes = 256 * 1024

/** Hashes small files on the event loop, a chunk at a time, and large ones in the pool. */
export function hashFileWith(pool: HashPool): HashFile {
  return async (fd, expectedBytes) => {
    if (expectedBytes >= threadedBytes) return pool.hash(fd)
    const hash = startSha256()
    let sizeBytes = 0
    // One byte more than expected, so that the end of a small file shows with the first read.
    let wanted = Math.min(chunkBytes, expectedBytes + 1)
    for (;;) {
      const chunk = await readAt(fd, sizeBytes, wanted)
      hash.update(chunk)
      sizeBytes += chunk.length
      if (chunk.length < wanted) return { digest: hash.digest(), sizeBytes }
      wanted = chunkBytes
    }
  }
}
