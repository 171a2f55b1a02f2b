import { isLive, type Entry } from '../core/entry.ts'
import type { RemoteRecord } from '../core/index-record.ts'
import type { SyncMode } from '../core/protocol.ts'
import type { Census } from './census.ts'
import type { Ledger, Put } from './ledger.ts'
import type { Peers } from './links/peers.ts'
import type { Clock, Observer, Store } from './ports.ts'
import type { Self } from './self.ts'
import type { Stamping } from './publish/stamping.ts'

/** Nobody who has joined answered for so long: this peer founds (rule 9). */
const foundAfterMs = 60_000

/** A peer that is away for so long does not hold back what waits for its bytes. */
const abandonedMs = 5_000

/** Stamped in one commit. */
const stampAtOnce = 1_000

/** A new index joins: it takes what the others have over what it found, and then stamps what is left (rule 9). */
export class Joining {
  readonly #store: Store
  readonly #self: Self
  readonly #ledger: Ledger
  readonly #census: Census
  readonly #stamping: Stamping
  readonly #peers: Peers
  readonly #clock: Clock
  readonly #observer: Observer
  readonly #mode: SyncMode
  #waitingSinceMs: number
  #lastStampedMs: number

  constructor(parts: {
    store: Store
    self: Self
    ledger: Ledger
    census: Census
    stamping: Stamping
    peers: Peers
    clock: Clock
    observer: Observer
    mode: SyncMode
  }) {
    this.#store = parts.store
    this.#self = parts.self
    this.#ledger = parts.ledger
    this.#census = parts.census
    this.#stamping = parts.stamping
    this.#peers = parts.peers
    this.#clock = parts.clock
    this.#observer = parts.observer
    this.#mode = parts.mode
    this.#waitingSinceMs = parts.clock.monotonicMs()
    this.#lastStampedMs = parts.clock.monotonicMs()
  }

  /** Joining begins again (rule 14). */
  begin(): void {
    this.#waitingSinceMs = this.#clock.monotonicMs()
  }

  /** Ends joining when it is time to; to be called in the serial loop, after the first scan. True when it ended now. */
  end(): boolean {
    if (this.#self.isJoined || !this.#isTime()) return false
    // In this order: what a crash leaves unstamped is stamped when joining goes on.
    const isOurs = ({ path }: Entry): boolean => this.#store.remote(path).length === 0
    const stamped = this.#stampTheRest(this.#mode === 'send-only' ? () => true : isOurs)
    this.#self.markJoined()
    this.#observer.log('info', 'joined', { peerId: this.#self.peerId, stamped })
    return true
  }

  /**
   * What waits after that for bytes which only a peer has who went is ours to announce after all; to be called in the serial loop now and
   * then.
   */
  stampAbandoned(): void {
    const nowMs = this.#clock.monotonicMs()
    if (!this.#self.isJoined || nowMs - this.#lastStampedMs < abandonedMs) return
    this.#lastStampedMs = nowMs
    const isThere = ({ peer }: RemoteRecord): boolean => this.#peers.linked(peer) !== null
    this.#stampTheRest(({ path }) => !this.#store.remote(path).some(isThere))
  }

  /** A peer that has joined told all it has; or all are new like us; or nobody who has joined answered for a minute. */
  #isTime(): boolean {
    const nowMs = this.#clock.monotonicMs()
    const peers = this.#peers.all()
    if (peers.length === 0 && this.#peers.unresolved.length === 0) return true
    const connected = this.#peers.connected()
    const joined = connected.filter(({ isJoining }) => !isJoining)
    if (joined.length > 0) {
      this.#waitingSinceMs = nowMs
      return joined.some(({ peerId }) => peerId !== null && this.#peers.receipts(peerId).isComplete)
    }
    const isEverybodyNew =
      peers.every((peer) => this.#peers.isUp(peer)) && this.#peers.unresolved.length === 0
    return isEverybodyNew || nowMs - this.#waitingSinceMs >= foundAfterMs
  }

  /** What nobody announced anything about is ours to announce; the rest is decided with the announcements. */
  #stampTheRest(isOurs: (entry: Entry) => boolean): number {
    let puts: Put[] = []
    let stamped = 0
    const flush = (): void => {
      if (puts.length > 0) this.#ledger.commit(puts)
      stamped += puts.length
      puts = []
    }
    // A copy: what is stamped leaves the set.
    const abandoned = Array.from(this.#census.unversioned)
    for (const path of abandoned) {
      const record = this.#store.get(path)
      if (record === null || !isLive(record.entry) || !isOurs(record.entry)) continue
      puts.push(this.#stamping.founded(record.entry, record.observation))
      if (puts.length >= stampAtOnce) flush()
    }
    flush()
    return stamped
  }
}
