import { SyndError } from '../../core/errors.ts'
import { SinkConnection, type SinkLimits, type SinkTarget } from './connection.ts'

/** A target, and how to tell it from the others. */
export interface PooledTarget extends SinkTarget {
  /** Equal for targets that may share a connection. */
  readonly name: string
  /** After a refused login the next attempt waits for so long, doubling up to `maxRetryMs`. */
  readonly retryMs: number
  readonly maxRetryMs: number
}

interface Refusal {
  readonly error: SyndError
  readonly delayMs: number
  readonly untilMs: number
}

/** One connection a target: opened late, kept warm, opened anew when it was lost. */
export class Connections {
  readonly #privateKey: string
  readonly #limits: SinkLimits
  readonly #open = new Map<string, { connection: SinkConnection; ready: Promise<void> }>()
  /** sshd counts failed logins and shuts out who has too many. */
  readonly #refusals = new Map<string, Refusal>()
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

  /** Gives up the connections whose host key is not the expected one any more. */
  dropUntrusted(): void {
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
    const refusal = this.#refusals.get(target.name)
    if (refusal !== undefined && performance.now() < refusal.untilMs) throw refusal.error
    const connection = new SinkConnection({
      target,
      privateKey: this.#privateKey,
      limits: this.#limits,
    })
    const opened = { connection, ready: this.#start(connection, target, refusal?.delayMs) }
    // Those who asked await it; between them it may fail unobserved.
    opened.ready.catch(() => undefined)
    this.#open.set(target.name, opened)
    void this.#forget(opened, target.name)
    return opened
  }

  async #start(
    connection: SinkConnection,
    target: PooledTarget,
    lastDelayMs: number | undefined,
  ): Promise<void> {
    try {
      await connection.start()
      this.#refusals.delete(target.name)
    } catch (error) {
      if (error instanceof SyndError && error.code === 'untrusted') {
        const delayMs = Math.min((lastDelayMs ?? target.retryMs / 2) * 2, target.maxRetryMs)
        const untilMs = performance.now() + delayMs
        this.#refusals.set(target.name, { error, delayMs, untilMs })
      }
      throw error
    }
  }

  async #forget(opened: { connection: SinkConnection }, name: string): Promise<void> {
    await opened.connection.closed
    if (this.#open.get(name) === opened) this.#open.delete(name)
  }
}
