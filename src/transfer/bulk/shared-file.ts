import { createHash } from 'node:crypto'
import { ftruncate as ftruncateWithCallback, writev as writevWithCallback } from 'node:fs'
import { promisify } from 'node:util'
import { SyndError } from '../../core/errors.ts'
import { runsOf } from '../../core/zero-runs.ts'
import type { PullRequest, Stage } from '../../engine/ports.ts'

const writev = promisify(writevWithCallback)
const ftruncate = promisify(ftruncateWithCallback)

/** Chunks are written together from this size on: system calls do not count then. */
const writeBytes = 512 * 1024

/**
 * A stage that is open as `fd` in the main thread, which discards or publishes it. The next chunks are hashed while the last ones are written.
 * Long runs of zeros become holes.
 */
export function sharedFile(fd: number, { sizeBytes, digest }: PullRequest): Stage {
  const hash = createHash('sha256')
  let receivedBytes = 0
  let chunks: Uint8Array[] = []
  let waitingBytes = 0
  /** Where in the file the chunks that wait belong. */
  let position = 0
  let isGone = false
  /** The last write; it goes on while the next chunks are decrypted and hashed. */
  let writing: Promise<void> = Promise.resolve()

  /** What waits is written, in its turn. */
  async function flush(): Promise<void> {
    let unwritten: Uint8Array[] = []
    let unwrittenBytes = 0
    const write = async (): Promise<void> => {
      await writeAll(fd, unwritten, position)
      position += unwrittenBytes
      unwritten = []
      unwrittenBytes = 0
    }
    const taken = chunks
    chunks = []
    waitingBytes = 0
    for (const chunk of taken) {
      for (const { isHole, start, end } of runsOf(chunk)) {
        if (isHole) {
          await write()
          position += end - start
        } else {
          unwritten.push(chunk.subarray(start, end))
          unwrittenBytes += end - start
        }
      }
    }
    await write()
  }

  async function orWriteError(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (cause) {
      throw writeError(cause)
    }
  }

  return {
    write: async (chunk) => {
      if (isGone) throw new Error('the file is gone')
      receivedBytes += chunk.length
      if (receivedBytes > sizeBytes) throw mismatch('more', { sizeBytes, digest })
      hash.update(chunk)
      chunks.push(chunk)
      waitingBytes += chunk.length
      if (waitingBytes < writeBytes) return
      await writing
      writing = orWriteError(flush())
      void writing.catch(() => undefined)
    },
    finish: async () => {
      const received = hash.digest('hex')
      if (receivedBytes !== sizeBytes || received !== digest)
        throw mismatch(`${receivedBytes} bytes with ${received}`, { sizeBytes, digest })
      await writing
      await orWriteError(flush())
      // What ends in a hole was not written up to there.
      await orWriteError(ftruncate(fd, sizeBytes))
    },
    discard: async () => {
      isGone = true
      chunks = []
      await writing.catch(() => undefined)
    },
  }
}

async function writeAll(fd: number, chunks: readonly Uint8Array[], from: number): Promise<void> {
  let left = [...chunks]
  let position = from
  while (left.length > 0) {
    let { bytesWritten: written } = await writev(fd, left, position)
    position += written
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
