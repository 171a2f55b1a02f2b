import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { parseDigest, type Digest } from '../../core/digest.ts'
import { DiskError } from '../disk.ts'

/** To a thread: hash the file that is open as `fd` (threads share descriptors). */
export interface HashOrder {
  readonly fd: number
}

/** From a thread, one for each order in turn. */
export type HashAnswer =
  | { readonly kind: 'hashed'; readonly digest: string; readonly sizeBytes: number }
  | { readonly kind: 'failed'; readonly errno: string }

interface Job {
  readonly order: HashOrder
  readonly resolve: (hashed: { digest: Digest; sizeBytes: number }) => void
  readonly reject: (error: Error) => void
}

/** More threads than this only fight over one disk. */
const maxThreads = 4

/** Hashes large files in threads, so that the event loop turns meanwhile. Threads start when first needed and end with `stop()`. */
export class HashPool {
  readonly #idle: Worker[] = []
  readonly #busy = new Map<Worker, Job>()
  readonly #waiting: Job[] = []
  #isStopped = false

  /** SHA-256 from the start to the end of an open file; the caller keeps `fd` open until it is told. */
  hash(fd: number): Promise<{ digest: Digest; sizeBytes: number }> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ order: { fd }, resolve, reject })
      this.#next()
    })
  }

  /** Ends all threads; what is not answered yet rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true
    const threads = [...this.#idle, ...this.#busy.keys()]
    await Promise.all(threads.map((thread) => thread.terminate()))
    this.#next()
  }

  #next(): void {
    for (;;) {
      const job = this.#waiting[0]
      if (job === undefined) return
      if (this.#isStopped) {
        this.#waiting.shift()
        job.reject(new DiskError('ECANCELED', 'the hash pool was stopped'))
        continue
      }
      const thread = this.#idle.pop() ?? this.#start()
      if (thread === null) return
      this.#waiting.shift()
      this.#busy.set(thread, job)
      thread.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
      thread.postMessage(job.order)
    }
  }

  #start(): Worker | null {
    if (this.#busy.size >= Math.min(maxThreads, availableParallelism())) return null
    // The compiled program has .js where the source has .ts, and tsc does not rewrite this name.
    const name = `./hash-worker${extname(import.meta.filename)}`
    const thread = new Worker(new URL(name, import.meta.url), { name: 'synd-hash' })
    thread.on('message', (answer: HashAnswer) => this.#answered(thread, answer))
    thread.on('error', (error) => this.#failed(thread, error))
    thread.on('exit', () => this.#failed(thread, null))
    return thread
  }

  #answered(thread: Worker, answer: HashAnswer): void {
    const job = this.#busy.get(thread)
    this.#busy.delete(thread)
    thread.unref()
    this.#idle.push(thread)
    if (answer.kind === 'hashed') {
      job?.resolve({ digest: parseDigest(answer.digest), sizeBytes: answer.sizeBytes })
    } else {
      job?.reject(new DiskError(answer.errno, `read: ${answer.errno}`))
    }
    this.#next()
  }

  #failed(thread: Worker, cause: Error | null): void {
    const job = this.#busy.get(thread)
    this.#busy.delete(thread)
    const place = this.#idle.indexOf(thread)
    if (place >= 0) this.#idle.splice(place, 1)
    job?.reject(new DiskError('EIO', 'a hash thread ended', { cause }))
    this.#next()
  }
}
