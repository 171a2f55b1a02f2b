import { SyndError } from '../../core/errors.ts'
import { SinkConnection, type SinkLimits, type SinkTarget } from './connection.ts'

/** A target, and how to tell it from the others. */
export interface PooledTarget extends SinkTarget {
  /** Equal for targets that may share a connection. */
  readonly name: string
  readonly patience: Patience
  /** What it means that this source sent `text` instead of files. */
  readonly explain: (text: string) => string
}

/** How long the next attempt to connect waits after one that failed; it doubles with each in a row. */
export interface Patience {
  /** Nobody answered, or the connection was closed before the login. */
  readonly lostMs: number
  readonly maxLostMs: number
  /** One side did not trust or understand the other. */
  readonly refusedMs: number
  readonly maxRefusedMs: number
}

interface Failure {
  readonly error: SyndError
  /** How many there were in a row before. */
  readonly attempt: number
  readonly untilMs: number
}

/** One connection a target: opened late, kept warm, opened anew when it was lost. */
export class Connections {
  readonly #privateKey: string
  readonly #limits: SinkLimits
  readonly #open = new Map<string, { connection: SinkConnection; ready: Promise<void> }>()
  /** Why the last attempts to connect failed. */
  readonly #failures = new Map<string, Failure>()
  #isStopped = false

  constructor(options: { readonly privateKey: string; readonly limits: SinkLimits }) {
    this.#privateKey = options.privateKey
    this.#limits = options.limits
  }

  /** Throws SyndError `unreachable`, `untrusted` or `protocol`. */
  async get(target: PooledTarget): Promise<SinkConnection> {
    if (this.#isStopped) throw new SyndError('aborted', 'no more is pulled')
    const open = this.#open.get(target.name)
    const isUsable = open !== undefined && open.connection.failure === null
    const { connection, ready } = isUsable ? open : this.#connect(target)
    await ready
    return connection
  }

  /** Gives up the connections whose host key is not the expected one any more; who was refused may try again at once. */
  trustChanged(): void {
    for (const [name, failure] of this.#failures)
      this.#failures.set(name, { ...failure, untilMs: 0 })
    for (const { connection } of this.#open.values()) {
      const refusal = connection.hostKeyRefusal
      if (refusal !== null) connection.stop(new SyndError('untrusted', refusal))
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    const closing = [...this.#open.values()].map(({ connection }) => {
      connection.stop(new SyndError('aborted', 'no more is pulled'))
      return connection.closed
    })
    await Promise.all(closing)
  }

  #connect(target: PooledTarget): { connection: SinkConnection; ready: Promise<void> } {
    const failure = this.#failures.get(target.name)
    if (failure !== undefined && performance.now() < failure.untilMs) throw failure.error
    const connection = new SinkConnection({
      target,
      privateKey: this.#privateKey,
      limits: this.#limits,
    })
    const opened = { connection, ready: this.#start(connection, target) }
    // Those who asked await it; between them it may fail unobserved.
    opened.ready.catch(() => undefined)
    this.#open.set(target.name, opened)
    void this.#forget(opened, target.name)
    return opened
  }

  async #start(connection: SinkConnection, target: PooledTarget): Promise<void> {
    try {
      await connection.start()
      this.#failures.delete(target.name)
    } catch (error) {
      if (error instanceof SyndError && error.code !== 'aborted') this.#note(target, error)
      throw error
    }
  }

  #note({ name, patience }: PooledTarget, error: SyndError): void {
    const { lostMs, maxLostMs, refusedMs, maxRefusedMs } = patience
    const before = this.#failures.get(name)
    const attempt = before === undefined ? 0 : before.attempt + 1
    const factor = 2 ** Math.min(attempt, 20)
    const delayMs = error.retryable
      ? Math.min(lostMs * factor, maxLostMs)
      : Math.min(refusedMs * factor, maxRefusedMs)
    this.#failures.set(name, { error, attempt, untilMs: performance.now() + delayMs })
  }

  async #forget(opened: { connection: SinkConnection }, name: string): Promise<void> {
    await opened.connection.closed
    if (this.#open.get(name) === opened) this.#open.delete(name)
  }
}
