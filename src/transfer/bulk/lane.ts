import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { parseDigest } from '../../core/digest.ts'
import { SyndError } from '../../core/errors.ts'
import type { Pulled, PullRequest, Stage } from '../../engine/ports.ts'
import type { SinkConnection } from '../sink/connection.ts'
import type { PooledTarget } from '../sink/connections.ts'
import { failureOf } from '../sink/staging-line.ts'
import type { BulkNotice, BulkOrder, BulkOutcome, BulkSetup } from './message.ts'

/** One large file to be had from an embedded source. */
export interface BulkPull {
  readonly target: PooledTarget
  /** A connection of the main thread: who is refused there is not tried here. */
  readonly connect: () => Promise<SinkConnection>
  readonly request: PullRequest
  readonly stage: Stage
  readonly refused: (reason: 'record' | 'content', text: string) => void
  readonly signal: AbortSignal
}

interface Job {
  readonly thread: Worker
  readonly ended: (outcome: BulkOutcome) => void
  readonly refused: BulkPull['refused']
}

/** The thread holds 20 MB, and its connections are made anew within milliseconds. */
const usualIdleMs = 10_000
/** For its connections to be ended. */
const farewellMs = 2_000

/**
 * Pulls large files in a thread with connections of its own, which decrypts, hashes and writes: the event loop turns meanwhile, and the other
 * processor has work. The thread starts when needed and ends when idle, or with `stop()`.
 */
export class BulkLane {
  readonly #setup: BulkSetup
  readonly #idleMs: number
  readonly #jobs = new Map<number, Job>()
  /** Host keys by the name of their target, as long as there is a thread. */
  readonly #known = new Map<string, { readonly target: PooledTarget; readonly blob: Buffer }>()
  #thread: Worker | null = null
  #idleTimer: NodeJS.Timeout | null = null
  #lastId = 0

  constructor({ idleMs = usualIdleMs, ...setup }: BulkSetup & { readonly idleMs?: number }) {
    this.#setup = setup
    this.#idleMs = idleMs
  }

  /** Whether there is a thread. */
  get isAwake(): boolean {
    return this.#thread !== null
  }

  /** Null, and nothing is done, when the stage is none that another thread can write. Throws as `Transfer.pull`; the stage is gone then. */
  async pull({ stage, ...order }: BulkPull): Promise<Pulled | null> {
    try {
      const shared = stage.share?.() ?? null
      if (shared === null) return null
      const outcome = await this.#fetch(order, shared.fd)
      switch (outcome.kind) {
        case 'received': {
          const { sizeBytes, digest } = outcome
          await shared.finish({ sizeBytes, digest: parseDigest(digest) })
          return { kind: 'pulled', stage }
        }
        case 'thrown': {
          const { code, message, retryable } = outcome
          throw new PullEnded(new SyndError(code, message, { retryable }))
        }
        case 'superseded':
        case 'failed':
          await stage.discard()
          return outcome
      }
    } catch (error) {
      await stage.discard()
      if (error instanceof PullEnded) throw error.error
      return failureOf(error)
    }
  }

  /** Gives up the connections whose host key is not the expected one any more. */
  trustChanged(): void {
    for (const [name, { target, blob }] of this.#known) {
      if (target.hostKeyRefusal(blob) === null) continue
      this.#known.delete(name)
      if (this.#thread !== null) tell(this.#thread, { kind: 'distrust', name })
    }
  }

  async stop(): Promise<void> {
    if (this.#thread !== null) await this.#end(this.#thread)
  }

  async #fetch(
    { target, connect, request, refused, signal }: Omit<BulkPull, 'stage'>,
    fd: number,
  ): Promise<BulkOutcome> {
    const hostKey = await this.#provedKey(connect)
    if (signal.aborted) throw new PullEnded(new SyndError('aborted', 'the pull was aborted'))
    const thread = this.#wake()
    const id = ++this.#lastId
    this.#known.set(target.name, { target, blob: hostKey })
    const { name, host, port, user } = target
    const abort = (): void => tell(thread, { kind: 'abort', id })
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await new Promise((ended) => {
        this.#jobs.set(id, { thread, ended, refused })
        tell(thread, { kind: 'pull', id, target: { name, host, port, user, hostKey }, request, fd })
      })
    } finally {
      signal.removeEventListener('abort', abort)
      this.#jobs.delete(id)
      this.#watchIdle()
    }
  }

  async #provedKey(connect: () => Promise<SinkConnection>): Promise<Buffer> {
    try {
      const { hostKey } = await connect()
      if (hostKey !== null) return hostKey
      throw new SyndError('unreachable', 'the connection was lost', { retryable: true })
    } catch (error) {
      throw error instanceof SyndError ? new PullEnded(error) : error
    }
  }

  #wake(): Worker {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    const thread = (this.#thread ??= this.#start())
    thread.ref()
    return thread
  }

  #start(): Worker {
    // The compiled program has .js where the source has .ts, and tsc does not rewrite this name.
    const name = `./thread${extname(import.meta.filename)}`
    const thread = new Worker(new URL(name, import.meta.url), {
      name: 'synd-bulk',
      workerData: this.#setup,
    })
    thread.on('message', (notice: BulkNotice) => {
      const job = this.#jobs.get(notice.id)
      if (notice.kind === 'ended') job?.ended(notice.outcome)
      else job?.refused(notice.reason, notice.text)
    })
    thread.on('error', (error) => this.#lost(thread, error.message))
    thread.on('exit', () => this.#lost(thread, 'it ended'))
    return thread
  }

  /** Its descriptors are used by nobody any more. */
  #lost(thread: Worker, text: string): void {
    if (this.#thread === thread) this.#forgetThread()
    for (const job of this.#jobs.values()) {
      const message = `the bulk thread failed: ${text}`
      if (job.thread === thread) job.ended({ kind: 'thrown', code: 'io', message, retryable: true })
    }
  }

  #watchIdle(): void {
    const thread = this.#thread
    if (thread === null || this.#jobs.size > 0) return
    thread.unref()
    this.#idleTimer = setTimeout(() => void this.#end(thread), this.#idleMs).unref()
  }

  async #end(thread: Worker): Promise<void> {
    this.#forgetThread()
    const exited = new Promise((resolve) => thread.once('exit', resolve))
    tell(thread, { kind: 'stop' })
    const timer = setTimeout(() => void thread.terminate(), farewellMs)
    await exited
    clearTimeout(timer)
  }

  #forgetThread(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    this.#thread = null
    this.#known.clear()
  }
}

/** Nothing is known of the file: not a failure of its stage. */
class PullEnded extends Error {
  readonly error: SyndError

  constructor(error: SyndError) {
    super(error.message, { cause: error })
    this.error = error
  }
}

function tell(thread: Worker, order: BulkOrder): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  thread.postMessage(order)
}
