import type { KeyFingerprint } from '../core/credentials.ts'
import type { Chance, Clock, Network, NetworkHandler } from '../engine/ports.ts'
import { AddressBook, type Dialled, type Lookup, type PeerAddress } from './address-book.ts'
import type { Credentials } from './credentials.ts'
import { Dialer } from './dialer.ts'
import { Listener } from './listener.ts'
import type { Rejected, RejectionReason } from './rejection.ts'
import { NotifyServer } from './server.ts'

export interface NetworkOptions {
  readonly peers: readonly PeerAddress[]
  /** Port 0 takes any free one. */
  readonly listen: { readonly host: string; readonly port: number }
  /** Null: TLS is off. */
  readonly credentials: Credentials | null
  readonly clock: Clock
  readonly chance: Chance
  /** What the health service says (/readyz). */
  readonly isReady: () => boolean
  readonly rejected: Rejected
  readonly log: (
    level: 'info' | 'warn' | 'error',
    message: string,
    fields: Record<string, unknown>,
  ) => void
  /** Instead of the system's resolver. */
  readonly lookup?: Lookup
  /** For tests: fewer connections of those who dial us. */
  readonly maxConnections?: number
}

/** The network on real sockets. */
export interface GrpcNetwork extends Network {
  /** Where it listens; 0 before `start`. */
  readonly port: number
}

/** One line a minute and reason: strangers must not fill the log. */
const refusalLogMs = 60_000

/** Dials and serves peers over gRPC (proto/synd/v1/synd.proto). */
export function createNetwork(options: NetworkOptions): GrpcNetwork {
  return new PeerNetwork(options)
}

class PeerNetwork implements GrpcNetwork {
  readonly #options: NetworkOptions
  readonly #dialers = new Map<string, Dialer>()
  readonly #leaving = new Set<Promise<void>>()
  readonly #refusedMs = new Map<RejectionReason, number>()
  #listener: Listener | null = null
  #server: NotifyServer | null = null
  #addresses: AddressBook | null = null
  #unsubscribe: () => void = () => {}
  #port = 0

  constructor(options: NetworkOptions) {
    this.#options = options
  }

  get port(): number {
    return this.#port
  }

  async start(handler: NetworkHandler): Promise<void> {
    const { credentials, clock, log, rejected, listen, peers, lookup, isReady, maxConnections } =
      this.#options
    const server = new NotifyServer({
      credentials,
      answerHello: (hello, caller: { readonly key: KeyFingerprint }) =>
        handler.answerHello(hello, caller),
      runInbound: (link) => handler.runInbound(link),
      isReady,
      greeted: () => this.#hurry(),
      rejected,
      log,
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
    })
    server.start()
    this.#server = server
    this.#listener = new Listener({
      ...listen,
      credentials,
      rejected,
      failed: (error) => log('error', 'the listening socket failed', { error }),
      refused: (reason, fields) => this.#logRefusal(reason, fields),
      admit: (socket) => server.admit(socket),
      ...(maxConnections === undefined ? {} : { maxConnections }),
    })
    this.#port = await this.#listener.start()
    const recheck = () => {
      for (const dialer of this.#dialers.values()) dialer.recheck()
    }
    this.#unsubscribe = credentials?.onChange(recheck) ?? this.#unsubscribe
    this.#addresses = new AddressBook({
      peers,
      clock,
      ...(lookup === undefined ? {} : { lookup }),
      changed: (dialled, unresolved) => {
        handler.addressesChanged(
          dialled.map(({ address }) => address),
          unresolved,
        )
        this.#dial(dialled, handler)
      },
    })
    await this.#addresses.start()
  }

  dropAddress(address: string): void {
    this.#addresses?.drop(address)
    this.#leave(address)
  }

  /** Within a second, whatever peers and the engine do. */
  async stop(): Promise<void> {
    this.#unsubscribe()
    this.#listener?.stop()
    const stopping = Promise.all([
      this.#server?.stop(),
      this.#addresses?.stop(),
      ...this.#leaving,
      ...Array.from(this.#dialers.values(), (dialer) => dialer.stop()),
    ])
    this.#dialers.clear()
    const enough = new AbortController()
    await Promise.race([stopping, this.#options.clock.sleep(stopMs, enough.signal)])
    enough.abort()
  }

  #dial(dialled: readonly Dialled[], handler: NetworkHandler): void {
    const { credentials, clock, chance, rejected, log } = this.#options
    const addresses = new Set(dialled.map(({ address }) => address))
    for (const address of this.#dialers.keys()) {
      if (!addresses.has(address)) this.#leave(address)
    }
    for (const target of dialled) {
      if (this.#dialers.has(target.address)) continue
      const dialer = new Dialer({
        dialled: target,
        credentials,
        hello: () => handler.hello(),
        standsBy: (address, answer) => handler.standsBy(address, answer),
        runOutbound: (link) => handler.runOutbound(link),
        dialFailed: (address, error) => handler.dialFailed(address, error),
        clock,
        chance,
        rejected,
        log,
      })
      this.#dialers.set(target.address, dialer)
      dialer.start()
    }
  }

  #leave(address: string): void {
    const dialer = this.#dialers.get(address)
    if (dialer === undefined) return
    this.#dialers.delete(address)
    const left = dialer.stop()
    this.#leaving.add(left)
    void left.finally(() => this.#leaving.delete(left))
  }

  #hurry(): void {
    for (const dialer of this.#dialers.values()) dialer.hurry()
  }

  #logRefusal(reason: RejectionReason, fields: Record<string, unknown>): void {
    const nowMs = this.#options.clock.monotonicMs()
    const lastMs = this.#refusedMs.get(reason)
    if (lastMs !== undefined && nowMs - lastMs < refusalLogMs) return
    this.#refusedMs.set(reason, nowMs)
    this.#options.log('warn', 'connection refused', { reason, ...fields })
  }
}

/** What is not gone by then is gone with the process. */
const stopMs = 900
