import { lookup as systemLookup } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import type { Clock } from '../engine/ports.ts'
import type { Target } from './connection.ts'

/** An entry of SYND_PEERS: one address (`host:port`), or every address that a name has. */
export type PeerAddress =
  | {
      readonly kind: 'host'
      readonly host: string
      readonly port: number
      readonly address: string
    }
  | { readonly kind: 'dns'; readonly name: string; readonly port: number }

/** Every address of a name; rejects for none. */
export type Lookup = (name: string) => Promise<readonly string[]>

/** An address to dial, and the host that files are pulled from. */
export interface Dialled extends Target {
  readonly host: string
}

export interface AddressBookOptions {
  readonly peers: readonly PeerAddress[]
  readonly clock: Clock
  readonly lookup?: Lookup
  /** What is to be dialled now; `unresolved` are the names that never had an address. Called after the first look-up, then at each change. */
  readonly changed: (dialled: readonly Dialled[], unresolved: readonly string[]) => void
}

/** Containers and pods move; the resolver's own cache keeps this cheap. */
const lookupIntervalMs = 10_000
/** The C library may try for half a minute; who has an answer is not kept waiting for who has none. */
const patienceMs = 3_000
/** A host that turned out to be ourselves may be another's after it moved. */
const selfRetryMs = 10 * 60_000

/** Which addresses to dial: those configured, and those that names have at the moment. A look-up that fails keeps what was known. */
export class AddressBook {
  readonly #options: AddressBookOptions
  readonly #lookup: Lookup
  readonly #stopped = new AbortController()
  /** Of each name the addresses it last had. */
  readonly #known = new Map<string, readonly string[]>()
  readonly #pending = new Map<string, Promise<void>>()
  /** Addresses that are ourselves, and since when. */
  readonly #dropped = new Map<string, number>()
  #told: string | null = null
  #running: Promise<void> = Promise.resolve()

  constructor(options: AddressBookOptions) {
    this.#options = options
    this.#lookup = options.lookup ?? lookUpAll
  }

  /** Resolves when the first addresses were told, at most 3 s later. */
  async start(): Promise<void> {
    await this.#round()
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  /** Not dialled again until the name it came from changes; a configured host, for ten minutes. */
  drop(address: string): void {
    this.#dropped.set(address, this.#options.clock.monotonicMs())
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    for (;;) {
      await this.#options.clock.sleep(lookupIntervalMs, signal)
      if (signal.aborted) return
      await this.#round()
    }
  }

  async #round(): Promise<void> {
    const { clock, peers } = this.#options
    for (const peer of peers) if (peer.kind === 'dns') this.#begin(peer)
    const enough = new AbortController()
    const signal = AbortSignal.any([enough.signal, this.#stopped.signal])
    await Promise.race([Promise.all(this.#pending.values()), clock.sleep(patienceMs, signal)])
    enough.abort()
    this.#redial()
    if (!this.#stopped.signal.aborted) this.#tell()
  }

  /** One look-up a name at a time. */
  #begin(peer: Extract<PeerAddress, { kind: 'dns' }>): void {
    const { name } = peer
    if (this.#pending.has(name)) return
    const done = this.#lookup(name).then(
      (addresses) => this.#found(name, addresses),
      () => {},
    )
    this.#pending.set(
      name,
      done.finally(() => this.#pending.delete(name)),
    )
  }

  #found(name: string, addresses: readonly string[]): void {
    const found = [...new Set(addresses)].toSorted()
    const before = this.#known.get(name) ?? []
    if (found.length === 0 || found.join() === before.join()) return
    this.#known.set(name, found)
    for (const peer of this.#options.peers) {
      if (peer.kind !== 'dns' || peer.name !== name) continue
      for (const host of [...before, ...found]) this.#dropped.delete(formatAddress(host, peer.port))
    }
  }

  #redial(): void {
    const { clock, peers } = this.#options
    for (const peer of peers) {
      if (peer.kind === 'dns') continue
      const sinceMs = this.#dropped.get(peer.address)
      if (sinceMs !== undefined && clock.monotonicMs() - sinceMs >= selfRetryMs) {
        this.#dropped.delete(peer.address)
      }
    }
  }

  #tell(): void {
    const dialled = new Map<string, Dialled>()
    const unresolved: string[] = []
    for (const peer of this.#options.peers) {
      const targets = this.#targetsOf(peer)
      if (targets.length === 0 && peer.kind === 'dns')
        unresolved.push(`dns:${peer.name}:${peer.port}`)
      for (const target of targets) {
        if (!this.#dropped.has(target.address)) dialled.set(target.address, target)
      }
    }
    const news = JSON.stringify([[...dialled.keys()], unresolved])
    if (news === this.#told) return
    this.#told = news
    this.#options.changed([...dialled.values()], unresolved)
  }

  #targetsOf(peer: PeerAddress): Dialled[] {
    if (peer.kind === 'host') {
      const { address, host } = peer
      return [{ address, host, name: host }]
    }
    const { name, port } = peer
    const hosts = this.#known.get(name) ?? []
    return hosts.map((host) => ({ address: formatAddress(host, port), host, name }))
  }
}

function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

async function lookUpAll(name: string): Promise<readonly string[]> {
  const found = await systemLookup(name, { all: true })
  return found.map(({ address }) => address)
}
