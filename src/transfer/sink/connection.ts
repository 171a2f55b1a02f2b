import { connect, type Socket } from 'node:net'
import ssh2 from 'ssh2'
import type { Client, ClientChannel, PublicKeyAuthMethod } from 'ssh2'
import { SyndError } from '../../core/errors.ts'
import { hostKeyAlgorithms, packetSizeRefusal } from '../algorithms.ts'
import { cleanText } from '../scp-message.ts'
import { loginKey } from './login-key.ts'
import { createSlots } from './slots.ts'

/** Where a sink connects to, and how it knows that it is there. */
export interface SinkTarget {
  readonly host: string
  readonly port: number
  readonly user: string
  /** The kinds of host keys that are known of it, as known_hosts names them; empty: any. */
  readonly keyTypes: readonly string[]
  /** Why the host key is not the expected one, or null when it is. */
  readonly hostKeyRefusal: (blob: Buffer) => string | null
}

export interface SinkLimits {
  /** From the connection attempt to the login. */
  readonly loginMs: number
  /** A source that sends too little for so long is given up. */
  readonly stallMs: number
  /** A connection without a channel is kept for so long. */
  readonly idleMs: number
  readonly keepaliveMs: number
}

/** sshd allows 10 sessions a connection unless told otherwise (MaxSessions). */
const maxChannels = 8
/** ssh2 gives a channel 2 MiB of window; a source that sends more than it was given is cut off. */
const maxUnreadBytes = 4 * 1024 * 1024
/** A closed channel that the other side does not close holds a session there. */
const closeMs = 10_000
/** For the last words to leave. */
const farewellMs = 1000

declare module 'ssh2' {
  interface Client {
    /** At run time it takes bytes too, which its types do not say: names that are not UTF-8 need them. */
    exec(command: string | Buffer, callback: ClientCallback): this
  }
}

/** One SSH connection to a source, with many channels. */
export class SinkConnection {
  readonly #target: SinkTarget
  readonly #privateKey: string
  readonly #limits: SinkLimits
  readonly #client: Client = new ssh2.Client()
  readonly #channels = new Set<ClientChannel>()
  readonly #closed = Promise.withResolvers<void>()
  #socket: Socket | null = null
  #hostKey: Buffer | null = null
  #failure: SyndError | null = null
  #isReady = false
  #hasRun = false
  /** A session of it is taken that nobody can close. */
  #hasLostSession = false
  #heardAtMs = performance.now()
  readonly #slots = createSlots(maxChannels)
  #idleTimer: NodeJS.Timeout | null = null

  constructor(options: {
    readonly target: SinkTarget
    readonly privateKey: string
    readonly limits: SinkLimits
  }) {
    this.#target = options.target
    this.#privateKey = options.privateKey
    this.#limits = options.limits
  }

  /** Connects and logs in; throws SyndError `unreachable`, `untrusted` or `protocol`. Once. */
  async start(): Promise<void> {
    const { host, port, user } = this.#target
    const socket = connect({ host, port, noDelay: true })
    this.#socket = socket
    socket.on('data', () => {
      this.#heardAtMs = performance.now()
      this.#requireWindow()
    })
    const ready = Promise.withResolvers<void>()
    this.#client.on('ready', () => {
      this.#isReady = true
      ready.resolve()
      this.#watchIdle()
    })
    this.#client.on('error', (error) => this.#fail(this.#toSyndError(error)))
    this.#client.on('close', () => {
      this.#fail(this.#unreachable('the connection was closed'))
      this.#closed.resolve()
      ready.resolve()
    })
    // Only the key, at once: `none` would count as a failed attempt.
    const login: PublicKeyAuthMethod[] = [
      { type: 'publickey', username: user, key: loginKey(this.#privateKey) },
    ]
    this.#client.connect({
      sock: socket,
      username: user,
      algorithms: hostKeyAlgorithms(this.#target.keyTypes),
      readyTimeout: this.#limits.loginMs,
      keepaliveInterval: this.#limits.keepaliveMs,
      keepaliveCountMax: 3,
      authHandler: login,
      hostVerifier: (blob: Buffer) => this.#verifyHost(blob),
    })
    await ready.promise
    if (this.#failure !== null) throw this.#failure
  }

  /** Why it is of no use any more; null while it is. */
  get failure(): SyndError | null {
    return this.#failure
  }

  /** Resolves when the connection is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** How long nothing at all has come from the other side. */
  get silentMs(): number {
    return performance.now() - this.#heardAtMs
  }

  /** What it proved, and was trusted with; null before. */
  get hostKey(): Buffer | null {
    return this.#hostKey
  }

  /** What speaks against the host key by now; null when nothing does. */
  get hostKeyRefusal(): string | null {
    return this.#hostKey === null ? null : this.#target.hostKeyRefusal(this.#hostKey)
  }

  /**
   * Runs a command on a channel of its own, waiting for a free one; throws what the connection failed with, SyndError `aborted`, or `protocol`
   * when the other side does not run commands. `release` must be called with the channel.
   */
  async exec(command: string | Buffer, signal: AbortSignal): Promise<ClientChannel> {
    for (;;) {
      await this.#reserve(signal)
      const opened = await this.#openInTime(command, signal)
      if (!(opened instanceof Error)) return opened
      const failure = this.#failure
      const refusal = this.#unreserveUnopened(opened)
      if (failure !== null) throw failure
      if (refusal !== null) throw refusal
    }
  }

  /** Gives a channel back, closing it if it is open. */
  release(channel: ClientChannel): void {
    if (!this.#channels.has(channel)) return
    channel.removeAllListeners('data')
    channel.resume()
    channel.close()
    setTimeout(() => {
      if (this.#channels.has(channel)) this.#fail(this.#unreachable('a channel does not close'))
    }, closeMs).unref()
  }

  /** Ends it; what is under way fails with `failure`. */
  stop(failure: SyndError): void {
    this.#fail(failure)
  }

  get #name(): string {
    return `${this.#target.host}:${this.#target.port}`
  }

  #verifyHost(blob: Buffer): boolean {
    const refusal = this.#target.hostKeyRefusal(blob)
    if (refusal === null) this.#hostKey = Buffer.from(blob)
    else this.#fail(new SyndError('untrusted', `${this.#name}: ${refusal}`))
    return refusal === null
  }

  async #reserve(signal: AbortSignal): Promise<void> {
    const outcome = await this.#slots.take(signal)
    if (outcome === 'taken' && this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    if (outcome === 'over') throw this.#failure ?? this.#unreachable('the connection was lost')
    if (outcome === 'aborted') throw aborted()
  }

  #unreserve(): void {
    this.#slots.free()
    this.#watchIdle()
  }

  /** What it means that no channel was opened; null: the next attempt may succeed. */
  #unreserveUnopened(error: Error): SyndError | null {
    // So ssh2 says that a channel was opened and the command refused.
    if (!('reason' in error)) return this.#unreserveRefused(error)
    const refused = this.#slots.refuse()
    this.#watchIdle()
    if (refused === 'later') return null
    const text = `it runs no command for us (${cleanText(error.message)}): is its MaxSessions 0?`
    if (refused === 'never') return new SyndError('protocol', `${this.#name}: ${text}`)
    // Another connection has sessions of its own.
    const lost = this.#unreachable('its sessions stay taken after they were closed', error)
    this.#fail(lost)
    return lost
  }

  /** ssh2 keeps the channel to itself: its session stays taken as long as the connection lives, which is until nothing else is under way. */
  #unreserveRefused(error: Error): SyndError {
    this.#hasLostSession = true
    this.#unreserve()
    const text = cleanText(error.message)
    if (!this.#hasRun)
      return new SyndError('protocol', `${this.#name}: it runs no command for us (${text})`)
    return this.#unreachable(`it ran commands before and now refuses one (${text})`, error)
  }

  /** What was reserved is the caller's to give back when no channel is returned. */
  async #openInTime(command: string | Buffer, signal: AbortSignal): Promise<ClientChannel | Error> {
    const opening = this.#open(command)
    const { stallMs } = this.#limits
    const given = Promise.withResolvers<null>()
    const giveUp = (): void => given.resolve(null)
    signal.addEventListener('abort', giveUp, { once: true })
    const timer = setTimeout(() => {
      const text = `${this.#name}: did not open a channel for ${stallMs / 1000} s`
      this.#fail(new SyndError('stalled', text, { retryable: true }))
    }, stallMs)
    try {
      if (signal.aborted) giveUp()
      const opened = await Promise.race([opening, given.promise])
      if (opened !== null) return opened
      void this.#releaseLate(opening)
      throw aborted()
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
    }
  }

  async #releaseLate(opening: Promise<ClientChannel | Error>): Promise<void> {
    const opened = await opening
    if (opened instanceof Error) this.#unreserveUnopened(opened)
    else this.release(opened)
  }

  #open(command: string | Buffer): Promise<ClientChannel | Error> {
    return new Promise((resolve) => {
      const opened = (error: Error | undefined, channel: ClientChannel): void => {
        if (error !== undefined) return resolve(error)
        const refusal = packetSizeRefusal(channel)
        if (refusal !== null) {
          const failure = new SyndError('protocol', `${this.#name}: ${refusal}`)
          this.#fail(failure)
          return resolve(failure)
        }
        this.#hasRun = true
        this.#channels.add(channel)
        channel.on('error', () => undefined)
        channel.on('close', () => {
          if (this.#channels.delete(channel)) this.#unreserve()
        })
        resolve(channel)
      }
      try {
        this.#client.exec(command, opened)
      } catch (cause) {
        // So ssh2 says that the connection is gone.
        const failure = this.#unreachable('the connection was lost', cause)
        this.#fail(failure)
        resolve(failure)
      }
    })
  }

  #requireWindow(): void {
    for (const channel of this.#channels) {
      if (channel.readableLength > maxUnreadBytes)
        this.#fail(new SyndError('protocol', `${this.#name}: sends more than its window allows`))
    }
  }

  #watchIdle(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    if (this.#slots.inUse() > 0) return
    if (this.#hasLostSession) return this.#fail(this.#unreachable('it refused a command'))
    this.#idleTimer = setTimeout(
      () => this.#fail(this.#unreachable('it was idle')),
      this.#limits.idleMs,
    )
    this.#idleTimer.unref()
  }

  #fail(failure: SyndError): void {
    if (this.#failure !== null) return
    this.#failure = failure
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    this.#slots.close()
    if (this.#isReady) this.#client.end()
    else this.#socket?.destroy()
    setTimeout(() => this.#socket?.destroy(), farewellMs).unref()
  }

  #toSyndError(error: Error & { level?: string }): SyndError {
    const text = cleanText(error.message)
    if (error.level === 'client-authentication')
      return new SyndError(
        'untrusted',
        `${this.#name}: refuses our key for user "${this.#target.user}": put our public line into its authorized_keys`,
        { cause: error },
      )
    // ssh2 calls it a fault of the protocol; sshd does so to whom it has had too much of.
    if (error.message === 'Connection lost before handshake')
      return this.#unreachable('it closed the connection before it said who it is', error)
    if (error.level === 'handshake' || error.level === 'protocol')
      return new SyndError('protocol', `${this.#name}: ${text}`, { cause: error })
    return this.#unreachable(text, error)
  }

  #unreachable(text: string, cause?: unknown): SyndError {
    return new SyndError('unreachable', `${this.#name}: ${text}`, { retryable: true, cause })
  }
}

function aborted(): SyndError {
  return new SyndError('aborted', 'the pull was aborted')
}
