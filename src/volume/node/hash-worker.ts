/** The thread of the hash pool: reads a file that the main thread holds open and answers with its digest. */
import { createHash } from 'node:crypto'
import { readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import type { HashAnswer, HashOrder } from './hash-pool.ts'

/** Large enough that system calls do not count, small enough for the processor's cache. */
const chunkBytes = 512 * 1024

const buffer = Buffer.allocUnsafeSlow(chunkBytes)

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, no window's
parentPort?.on('message', (order: HashOrder) => parentPort?.postMessage(answerTo(order)))

function answerTo({ fd }: HashOrder): HashAnswer {
  const hash = createHash('sha256')
  let sizeBytes = 0
  try {
    for (;;) {
      const count = readSync(fd, buffer, 0, chunkBytes, sizeBytes)
      if (count === 0) return { kind: 'hashed', digest: hash.digest('hex'), sizeBytes }
      hash.update(buffer.subarray(0, count))
      sizeBytes += count
    }
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
    return { kind: 'failed', errno }
  }
}
