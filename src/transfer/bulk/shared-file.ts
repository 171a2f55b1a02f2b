import { createHash } from 'node:crypto'
import { writevSync } from 'node:fs'
import { SyndError } from '../../core/errors.ts'
import type { PullRequest, Stage } from '../../engine/ports.ts'

/** Chunks are written together from this size on: system calls do not count then. */
const writeBytes = 512 * 1024

/**
 * A stage that is open as `fd` in the main thread, which discards or publishes it. Writes and hashes at once: this thread has nothing else to do.
 */
export function sharedFile(fd: number, { sizeBytes, digest }: PullRequest): Stage {
  const hash = createHash('sha256')
  let receivedBytes = 0
  let chunks: Uint8Array[] = []
  let waitingBytes = 0
  let isGone = false

  function flush(): void {
    try {
      writeAll(fd, chunks)
    } catch (cause) {
      throw writeError(cause)
    }
    chunks = []
    waitingBytes = 0
  }

  return {
    write: async (chunk) => {
      if (isGone) throw new Error('the file is gone')
      receivedBytes += chunk.length
      if (receivedBytes > sizeBytes) throw mismatch('more', { sizeBytes, digest })
      hash.update(chunk)
      chunks.push(chunk)
      waitingBytes += chunk.length
      if (waitingBytes >= writeBytes) flush()
    },
    finish: async () => {
      const received = hash.digest('hex')
      if (receivedBytes !== sizeBytes || received !== digest)
        throw mismatch(`${receivedBytes} bytes with ${received}`, { sizeBytes, digest })
      flush()
    },
    discard: async () => {
      isGone = true
      chunks = []
    },
  }
}

function writeAll(fd: number, chunks: readonly Uint8Array[]): void {
  let left = [...chunks]
  while (left.length > 0) {
    let written = writevSync(fd, left)
    while (written > 0) {
      const [first] = left
      if (first === undefined) return
      left = first.length <= written ? left.slice(1) : [first.subarray(written), ...left.slice(1)]
      written -= Math.min(written, first.length)
    }
  }
}

function mismatch(what: string, { sizeBytes, digest }: Omit<PullRequest, 'path'>): SyndError {
  return new SyndError(
    'digest-mismatch',
    `${what} came; announced were ${sizeBytes} with ${digest}`,
  )
}

function writeError(cause: unknown): unknown {
  if (!(cause instanceof Error) || !('code' in cause)) return cause
  const isFull = cause.code === 'ENOSPC' || cause.code === 'EDQUOT'
  const message = isFull ? 'no room on the volume' : `staging failed (${String(cause.code)})`
  return new SyndError(isFull ? 'no-space' : 'io', message, { retryable: true, cause })
}
