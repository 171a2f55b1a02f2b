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

/** A thread holds 20 MB; one that was not needed for so long ends. */
const usualIdleMs = 5_000

/** Hashes large files in threads, so that the event loop turns meanwhile. Threads start when needed and end when idle, or with `stop()`. */
export class HashPool {
  readonly #idleMs: number
  readonly #idle: Worker[] = []
  readonly #leaving = new Map<Worker, NodeJS.Timeout>()
  readonly #busy = new Map<Worker, Job>()
  readonly #waiting: Job[] = []
  #isStopped = false

  /** `idleMs` is for tests in a hurry. */
  constructor({ idleMs = usualIdleMs } = {}) {
    this.#idleMs = idleMs
  }

  /** How many threads there are. */
  get size(): number {
    return this.#idle.length + this.#busy.size
  }

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
    for (const timer of this.#leaving.values()) clearTimeout(timer)
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
      clearTimeout(this.#leaving.get(thread))
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
    this.#rest(thread)
    if (answer.kind === 'hashed') {
      job?.resolve({ digest: parseDigest(answer.digest), sizeBytes: answer.sizeBytes })
    } else {
      job?.reject(new DiskError(answer.errno, `read: ${answer.errno}`))
    }
    this.#next()
  }

  #rest(thread: Worker): void {
    thread.unref()
    this.#idle.push(thread)
    const timer = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(thread), 1)
      void thread.terminate()
    }, this.#idleMs)
    this.#leaving.set(thread, timer.unref())
  }

  #failed(thread: Worker, cause: Error | null): void {
    const job = this.#busy.get(thread)
    this.#busy.delete(thread)
    clearTimeout(this.#leaving.get(thread))
    this.#leaving.delete(thread)
    const place = this.#idle.indexOf(thread)
    if (place >= 0) this.#idle.splice(place, 1)
    job?.reject(new DiskError('EIO', 'a hash thread ended', { cause }))
    this.#next()
  }
}
