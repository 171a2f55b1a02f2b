import type { ErrorCode } from '../../core/errors.ts'
import type { PeerId } from '../../core/peer-id.ts'
import type { ProblemCode } from '../../core/problem.ts'
import type { Sequence, SyncMode } from '../../core/protocol.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Delivery } from './deliveries.ts'
import type { InboundLink, OutboundLink, PullTarget, Store } from '../ports.ts'
import { Receipts } from './receipts.ts'

/** One dialled address. */
export interface Peer {
  readonly address: string
  peerId: PeerId | null
  name: string | null
  /** Our stream to it, while it is up. */
  link: OutboundLink | null
  delivery: Delivery | null
  /** The sequence its last `settled` covered; null since the link is up: none yet. */
  settled: Sequence | null
  /** How many paths its mode keeps apart, as it last said. */
  diverged: number
  /** Joining when it last said Hello. */
  isJoining: boolean
  /** Since when it is connected without saying that it lists us; null: it said so. Monotonic. */
  notListedSinceMs: number | null
  lastError: { readonly code: ErrorCode | null; readonly message: string } | null
  /** Why nothing could be pulled from it; null since something could, or since it is connected. */
  sourceFailure: SourceFailure | null
  /** It answered once since the start. */
  hasAnswered: boolean
  /** As last dialled it led to a peer that is linked by way of another address. */
  standsBy: boolean
}

/** A source that failed as a whole, not for one file. Monotonic times. */
interface SourceFailure {
  readonly message: string
  /** It may work again without anybody changing anything. */
  readonly isTransient: boolean
  /** How often it failed in a row before. */
  readonly attempt: number
  readonly retryAtMs: number
  /** Until then others who have the content are asked before it. */
  readonly avoidedUntilMs: number
}

/** A peer that dialled us, by its id. */
export interface Caller {
  readonly link: InboundLink
  /** Monotonic milliseconds. */
  readonly sinceMs: number
  /** The sequence at which we last told it that we are settled; null: we have not, or are not any more. */
  toldSettled: Sequence | null
  /** How many paths we last told it that we keep apart. */
  toldDiverged: number
}

/** Everybody we dial and everybody who dialled us. */
export class Peers {
  readonly #store: Store
  readonly #receipts = new Map<PeerId, Receipts>()
  readonly callers = new Map<PeerId, Caller>()
  #byAddress = new Map<string, Peer>()
  #unresolved: readonly string[] = []

  constructor({ store }: { store: Store }) {
    this.#store = store
  }

  get unresolved(): readonly string[] {
    return this.#unresolved
  }

  all(): readonly Peer[] {
    return [...this.#byAddress.values()]
  }

  /** Every configured peer answered once since the start. */
  get isEverybodyKnown(): boolean {
    return this.#unresolved.length === 0 && this.all().every(({ hasAnswered }) => hasAnswered)
  }

  /** The configured names after every look-up; peers that stay keep their state. */
  setAddresses(addresses: readonly string[], unresolved: readonly string[]): void {
    this.#byAddress = new Map(
      addresses.map((address) => [address, this.#byAddress.get(address) ?? newPeer(address)]),
    )
    this.#unresolved = unresolved
  }

  at(address: string): Peer | null {
    return this.#byAddress.get(address) ?? null
  }

  drop(address: string): void {
    this.#byAddress.delete(address)
  }

  /** The peer with that id whose link is up. */
  linked(peerId: PeerId): Peer | null {
    for (const peer of this.#byAddress.values()) {
      if (peer.peerId === peerId && peer.link !== null) return peer
    }
    return null
  }

  /** There is a link to it, by way of this address or of another. */
  isUp({ link, peerId, standsBy }: Peer): boolean {
    return link !== null || (standsBy && peerId !== null && this.linked(peerId) !== null)
  }

  /** Everybody whose link is up, once an id. */
  connected(): Peer[] {
    const byId = new Map<PeerId, Peer>()
    for (const peer of this.#byAddress.values()) {
      if (peer.link !== null && peer.peerId !== null && !byId.has(peer.peerId))
        byId.set(peer.peerId, peer)
    }
    return [...byId.values()]
  }

  /** The configured address of a peer, for logs and metrics; '' for one that is not configured. */
  addressOf(peerId: PeerId): string {
    for (const { address, peerId: id } of this.#byAddress.values())
      if (id === peerId) return address
    return ''
  }

  pullTarget(peer: Peer): PullTarget | null {
    if (peer.link === null) return null
    const { address, host, key, answer } = peer.link
    return { address, host, key, source: answer.source }
  }

  receipts(peerId: PeerId): Receipts {
    const known = this.#receipts.get(peerId)
    if (known !== undefined) return known
    const receipts = new Receipts({ recordedUpTo: this.#store.peer(peerId)?.sequence ?? 0 })
    for (const record of this.#store.unequalRemoteOf(peerId)) receipts.markOpen(record)
    this.#receipts.set(peerId, receipts)
    return receipts
  }

  /** Everybody who dialled us is to do so again, and to say everything anew. */
  startOver(): void {
    const links = [...this.callers.values()].map(({ link }) => link)
    this.callers.clear()
    this.#receipts.clear()
    for (const link of links) link.close()
  }

  /** Somebody announced the path and was not told yet that it is applied. */
  isAwaited(path: RelativePath): boolean {
    return [...this.#receipts.values()].some((receipts) => receipts.sequenceOf(path) !== null)
  }

  /** What that peer does with changes, as it last said on a link that is up; null: it is away. */
  modeOf(peerId: PeerId): SyncMode | null {
    const link = this.linked(peerId)?.link
    return link?.answer.mode ?? this.callers.get(peerId)?.link.hello.mode ?? null
  }

  /** Paths of which configured peers have versions that our mode does not take (rule M1). */
  get declined(): number {
    const paths = new Set<RelativePath>()
    for (const { peerId } of this.#byAddress.values()) {
      if (peerId === null) continue
      for (const path of this.receipts(peerId).declinedPaths()) paths.add(path)
    }
    return paths.size
  }

  /** Tells the announcers that the path failed. */
  failed(path: RelativePath, code: ProblemCode): void {
    for (const receipts of this.#receipts.values()) receipts.close(path, { kind: 'failed', code })
  }
}

function newPeer(address: string): Peer {
  return {
    address,
    peerId: null,
    name: null,
    link: null,
    delivery: null,
    settled: null,
    diverged: 0,
    isJoining: false,
    notListedSinceMs: null,
    lastError: null,
    sourceFailure: null,
    hasAnswered: false,
    standsBy: false,
  }
}
