import type { X509Certificate } from 'node:crypto'
import { errorCode, SyndError } from '../core/errors.ts'
import type { Hello, HelloAnswer } from '../core/protocol.ts'
import type { Chance, Clock, OutboundLink } from '../engine/ports.ts'
import type { Dialled } from './address-book.ts'
import { Connection } from './connection.ts'
import type { Credentials } from './credentials.ts'
import { openOutboundLink } from './outbound-link.ts'
import type { Rejected } from './rejection.ts'

export interface DialerOptions {
  readonly dialled: Dialled
  readonly credentials: Credentials | null
  readonly hello: () => Hello
  readonly standsBy: (address: string, answer: HelloAnswer) => boolean
  readonly runOutbound: (link: OutboundLink) => Promise<void>
  readonly dialFailed: (address: string, error: Error) => void
  readonly clock: Clock
  readonly chance: Chance
  readonly rejected: Rejected
  readonly log: (level: 'info' | 'error', message: string, fields: Record<string, unknown>) => void
}

const firstDelayMs = 250
const lastDelayMs = 10_000
/** Each wait is less than half of what the peer was away by then: one that was restarted within a second is back within the next. */
const growth = 1.5
/** A link that was up this long was no flapping one. */
const stableMs = 5_000
/** An address of a peer that is linked by way of another is asked this often whether it still leads there. */
const standByMs = 5_000
/** Whoever says Hello is up; how often that may cut our waiting short. */
const hurryIntervalMs = 1_000

/** Keeps a link to one address: dials, runs it while it is up, waits, dials again, for ever. */
export class Dialer {
  readonly #options: DialerOptions
  readonly #stopped = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #connection: { destroy(): void; certificate: X509Certificate | null } | null = null
  #hurry: () => void = () => {}
  #hurriedMs = Number.NEGATIVE_INFINITY

  constructor(options: DialerOptions) {
    this.#options = options
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Closes the connection at once; resolves when the engine has left the link. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#connection?.destroy()
    await this.#running
  }

  /** Cuts the waiting short: the peer may be back. */
  hurry(): void {
    this.#hurry()
  }

  /** Drops the link when the key of the other side is no longer believed. */
  recheck(): void {
    const { credentials, dialled, rejected } = this.#options
    const certificate = this.#connection?.certificate ?? null
    if (credentials === null || certificate === null) return
    if (credentials.keyOfPeer(certificate, dialled.name) !== null) return
    rejected('grpc', 'untrusted-key')
    this.#connection?.destroy()
  }

  async #run(): Promise<void> {
    const { clock } = this.#options
    let failures = 0
    while (!this.#isStopped) {
      const sinceMs = clock.monotonicMs()
      const outcome = await this.#dial()
      if (this.#isStopped) return
      if (outcome === 'stands-by') {
        failures = 0
        await this.#wait(standByMs)
        continue
      }
      if (outcome === 'was-up' && clock.monotonicMs() - sinceMs >= stableMs) failures = 0
      await this.#wait(delayMs(failures, this.#options.chance))
      failures++
    }
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted
  }

  async #dial(): Promise<'was-up' | 'stands-by' | 'failed'> {
    const { dialled, credentials, rejected, log } = this.#options
    const connection = new Connection({ target: dialled, credentials, rejected })
    this.#connection = { destroy: () => connection.destroy(), certificate: null }
    let isUp = false
    try {
      const hello = this.#options.hello()
      const { answer, session } = await connection.hello(hello)
      const { key, certificate } = connection.proof
      this.#connection = { destroy: () => connection.destroy(), certificate }
      this.recheck()
      const { address, host } = dialled
      if (this.#options.standsBy(address, answer)) return 'stands-by'
      const call = connection.notify(session)
      const link = openOutboundLink(call, { address, host, hello, answer, key, rejected, log })
      isUp = true
      await this.#options.runOutbound(link)
      link.close()
    } catch (error) {
      this.#report(error, isUp)
    } finally {
      connection.destroy()
      this.#connection = null
    }
    return isUp ? 'was-up' : 'failed'
  }

  #report(error: unknown, wasUp: boolean): void {
    const { dialled, dialFailed, log } = this.#options
    const code = errorCode(error)
    const isRefusal = code === 'untrusted' || code === 'protocol'
    const isUnreachable = code === 'unreachable' || code === 'unresolved'
    if (error instanceof SyndError && (isRefusal || (isUnreachable && !wasUp))) {
      if (!this.#isStopped) dialFailed(dialled.address, error)
    } else if (!isUnreachable) {
      log('error', 'the link to a peer failed', { peer: dialled.address, error })
    }
  }

  async #wait(durationMs: number): Promise<void> {
    const { clock } = this.#options
    const enough = new AbortController()
    this.#hurry = () => {
      const nowMs = clock.monotonicMs()
      if (nowMs - this.#hurriedMs < hurryIntervalMs) return
      this.#hurriedMs = nowMs
      enough.abort()
    }
    const signal = AbortSignal.any([enough.signal, this.#stopped.signal])
    await clock.sleep(durationMs, signal)
    this.#hurry = () => {}
  }
}

/** Between half of it and all: peers that lost one host do not all come back at once. */
function delayMs(failures: number, chance: Chance): number {
  const full = Math.min(lastDelayMs, firstDelayMs * growth ** Math.min(failures, 30))
  return (full / 2) * (1 + chance.fraction())
}
