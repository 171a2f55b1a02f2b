import { SyndError, errorCode } from '../../core/errors.ts'
import type { PeerId } from '../../core/peer-id.ts'
import {
  type Sequence,
  protocolVersions,
  type Hello,
  type HelloAnswer,
  type Recorded,
  type SourceOffer,
  type SyncMode,
} from '../../core/protocol.ts'
import type { Inbound } from './inbound.ts'
import type { Inbox } from '../pull/inbox.ts'
import type { Census } from '../census.ts'
import type { Ledger } from '../ledger.ts'
import type { Serial } from '../serial.ts'
import { tellAnew } from './tell-anew.ts'
import { Outbound } from './outbound.ts'
import type { Peer, Peers } from './peers.ts'
import type {
  Clock,
  InboundLink,
  Network,
  NetworkHandler,
  Observer,
  OutboundLink,
  Store,
} from '../ports.ts'
import type { Self } from '../self.ts'

/** As many peers' progress fits one Hello. */
const maxRecorded = 256

export interface LinksParts {
  readonly store: Store
  readonly clock: Clock
  readonly network: Network
  readonly observer: Observer
  readonly self: Self
  readonly ledger: Ledger
  readonly census: Census
  readonly serial: Serial
  readonly peers: Peers
  readonly inbound: Inbound
  readonly inbox: Inbox
  readonly name: string
  readonly mode: SyncMode
  readonly source: () => SourceOffer
  /** Whether a key may still connect: an id is bound to the first key that showed it while that is authorized. */
  readonly isAuthorized: (key: string) => boolean
  readonly onHello: () => void
  readonly onChange: () => void
}

/** What the network asks of the engine: who we are, and what is said on each link. */
export class Links implements NetworkHandler {
  readonly #parts: LinksParts
  readonly #outbound = new Map<PeerId, Outbound>()
  /** Why the id that this peer has is not its own, while it cannot draw another one yet. */
  #dueRenewal: string | null = null

  constructor(parts: LinksParts) {
    this.#parts = parts
    parts.ledger.onCommit((commits) => {
      for (const outbound of this.#outbound.values()) outbound.committed(commits)
    })
    parts.ledger.onForget((records) => {
      for (const outbound of this.#outbound.values()) outbound.forgotten(records)
    })
  }

  hello(): Hello {
    const { self, name, mode, source } = this.#parts
    return {
      protocolVersions,
      peerId: self.peerId,
      epoch: self.epoch,
      name,
      mode,
      joining: !self.isJoined,
      recorded: this.#recorded(),
      source: source(),
    }
  }

  answerHello(hello: Hello, caller: { readonly key: string }): HelloAnswer {
    // Of before the check: two that have one id tell each other so, and both draw a new one.
    const ours = this.hello()
    const isTaken = this.#isTaken(hello, caller.key)
    if (!isTaken) this.#check(hello, caller.key)
    const recorded = isTaken ? beyondEverything(hello, ours.recorded) : ours.recorded
    return { ...ours, recorded, listsCaller: this.#lists(hello.peerId) }
  }

  standsBy(address: string, answer: HelloAnswer): boolean {
    const { peers, onChange } = this.#parts
    const peer = peers.at(address)
    const first = peers.linked(answer.peerId)
    if (peer === null || first === null || first === peer) return false
    peer.peerId = answer.peerId
    peer.name = answer.name
    peer.hasAnswered = true
    peer.lastError = null
    peer.standsBy = true
    onChange()
    return true
  }

  async runOutbound(link: OutboundLink): Promise<void> {
    const { self, network, peers, observer } = this.#parts
    const { answer, address } = link
    if (answer.peerId === self.peerId && answer.epoch === self.epoch) {
      observer.log('info', 'one of the peers is this host itself', { peer: address })
      network.dropAddress(address)
      peers.drop(address)
      return
    }
    this.#check(answer, link.key)
    // A new id was drawn after we said Hello: returning lets the network dial again.
    if (link.hello.peerId !== self.peerId) return
    const peer = peers.at(address)
    if (peer === null) return
    const first = peers.linked(answer.peerId)
    this.#connected(peer, link)
    this.#parts.onHello()
    try {
      if (first === null) await this.#runFirst(peer, link)
      else await this.#runAlias(peer, first, link)
    } finally {
      peer.link = null
      peer.settled = null
      peer.diverged = 0
      this.#closeAliases(peer)
      observer.log('info', 'peer disconnected', { peer: address, name: answer.name })
      this.#parts.onChange()
    }
  }

  async runInbound(link: InboundLink): Promise<void> {
    this.#check(link.hello, link.key)
    // We are somebody else since we answered, or know less of them: let them ask again.
    if (link.answer.peerId !== this.#parts.self.peerId || this.#hasForgotten(link)) return
    try {
      await this.#parts.inbound.run(link)
    } finally {
      this.#parts.onChange()
    }
  }

  addressesChanged(addresses: readonly string[], unresolved: readonly string[]): void {
    const { peers, observer, onChange } = this.#parts
    peers.setAddresses(addresses, unresolved)
    observer.log('info', 'peers', { addresses, unresolved })
    onChange()
  }

  dialFailed(address: string, error: Error): void {
    const { peers, observer, onChange } = this.#parts
    const peer = peers.at(address)
    if (peer === null) return
    const { message } = error
    const code = errorCode(error)
    if (peer.lastError?.message !== message) {
      const level = code === 'untrusted' ? 'warn' : 'info'
      observer.log(level, 'cannot reach peer', { peer: address, reason: message })
    }
    peer.lastError = { code, message }
    peer.standsBy = false
    onChange()
  }

  /** Draws a new peer id (rule 1) and says Hello anew to everybody. */
  renewIdentity(reason: string): void {
    const { self, observer, peers } = this.#parts
    const before = self.peerId
    const isRenewed = self.renew()
    this.#dueRenewal = isRenewed ? null : reason
    if (!isRenewed) return
    observer.rejected('identity', 'identity-renewed')
    observer.log('warn', 'drew a new peer id: this index was a copy or was restored', {
      reason,
      before,
      peerId: self.peerId,
    })
    for (const outbound of this.#outbound.values()) outbound.close()
    peers.startOver()
  }

  /** Now and then: a renewal that was due within a minute of the last one is made up for (rule 1). */
  retryRenewal(): void {
    if (this.#dueRenewal !== null) this.renewIdentity(this.#dueRenewal)
  }

  #check(hello: Hello, key: string): void {
    const { self } = this.#parts
    if (!hello.protocolVersions.some((version) => protocolVersions.includes(version))) {
      const theirs = hello.protocolVersions.join(', ')
      throw new SyndError(
        'protocol',
        `speaks protocol ${theirs}, this peer ${protocolVersions.join(', ')}: update the older one`,
      )
    }
    const isUs = hello.peerId === self.peerId
    if (isUs && hello.epoch !== self.epoch) this.renewIdentity('another live peer has the same id')
    const ours = hello.recorded.find(({ peerId }) => peerId === self.peerId)
    if (!isUs && ours !== undefined && !self.recognises(ours)) {
      this.renewIdentity('a peer has recorded more of this index than it holds')
    }
    // After that: two copies may each have the other's id on record under a third one's key.
    if (this.#isBoundToAnother(hello, key)) {
      throw new SyndError('untrusted', `peer id ${hello.peerId} belongs to another key`)
    }
  }

  /** The id belongs to the key that showed it first, while that is authorized (SECURITY.md, What protects the network). */
  #isBoundToAnother({ peerId }: Hello, key: string): boolean {
    const { store, isAuthorized } = this.#parts
    const known = store.peer(peerId)
    return known !== null && known.key !== key && isAuthorized(known.key)
  }

  /** Somebody else has the caller's id: it is, or is a copy of, another host (rule 1). */
  #isTaken(hello: Hello, key: string): boolean {
    const live = this.#parts.peers.callers.get(hello.peerId)?.link
    const isLive =
      live !== undefined &&
      live.hello.epoch !== hello.epoch &&
      (live.hello.name !== hello.name || live.key !== key)
    return isLive || this.#isBoundToAnother(hello, key)
  }

  /** They would go on after what is to be heard anew (rule 14). */
  #hasForgotten({ hello, answer }: InboundLink): boolean {
    const said = answer.recorded.find(({ peerId }) => peerId === hello.peerId)
    const known = this.#parts.store.peer(hello.peerId)?.sequence ?? 0
    return said !== undefined && said.sequence > known
  }

  /** Of those first whom this peer is linked with: old ids gather over the years. */
  #recorded(): readonly Recorded[] {
    const { store, peers } = this.#parts
    const linked = new Set(peers.all().map(({ peerId }) => peerId))
    const all = store.peers()
    if (all.length <= maxRecorded) return all
    const isFirst = ({ peerId }: Recorded): number => (linked.has(peerId) ? 0 : 1)
    return all.toSorted((a, b) => isFirst(a) - isFirst(b)).slice(0, maxRecorded)
  }

  #lists(peerId: PeerId): HelloAnswer['listsCaller'] {
    const { peers } = this.#parts
    const all = peers.all()
    if (all.some((peer) => peer.peerId === peerId)) return 'yes'
    return all.every(({ hasAnswered }) => hasAnswered) && peers.unresolved.length === 0
      ? 'no'
      : 'unknown'
  }

  #connected(peer: Peer, link: OutboundLink): void {
    const { observer, inbox, clock, onChange } = this.#parts
    const { answer } = link
    peer.link = link
    peer.standsBy = false
    peer.peerId = answer.peerId
    peer.name = answer.name
    peer.isJoining = answer.joining
    peer.hasAnswered = true
    peer.lastError = null
    peer.sourceFailure = null
    peer.notListedSinceMs = answer.listsCaller === 'yes' ? null : clock.monotonicMs()
    observer.log('info', 'peer connected', {
      peer: peer.address,
      name: answer.name,
      id: answer.peerId,
    })
    inbox.hurry()
    onChange()
  }

  async #runFirst(peer: Peer, link: OutboundLink): Promise<void> {
    const { store, ledger, clock, observer, self, onChange } = this.#parts
    const recorded = link.answer.recorded.find(({ peerId }) => peerId === self.peerId)
    const recordedUpTo = recorded !== undefined && self.recognises(recorded) ? recorded.sequence : 0
    await this.#tellAnew(link.answer.peerId, recordedUpTo)
    // Meanwhile a new id may have been drawn: this link, which bears the old one, was not among those that were closed then.
    if (link.hello.peerId !== self.peerId) return
    const outbound = new Outbound({
      store,
      ledger,
      clock,
      observer,
      peer,
      link,
      recordedUpTo,
      unversioned: this.#parts.census.unversioned,
      onReply: onChange,
    })
    const { peerId } = link.answer
    this.#outbound.set(peerId, outbound)
    peer.delivery = outbound.delivery
    try {
      await outbound.run()
    } finally {
      if (this.#outbound.get(peerId) === outbound) this.#outbound.delete(peerId)
    }
  }

  /** What the peer said of ours on other links does not count on this one. */
  async #tellAnew(peerId: PeerId, recordedUpTo: Sequence): Promise<void> {
    const { store, ledger, serial } = this.#parts
    await serial.run(async () => {
      const announced = Array.from(store.unequalRemoteOf(peerId), ({ entry }) => entry)
      tellAnew({ store, ledger }, announced, (sequence) => sequence > recordedUpTo)
    })
  }

  /** Two addresses with one id, dialled at the same time, are one peer: the second is dialled anew when the first is gone, and then stands by. */
  async #runAlias(peer: Peer, first: Peer, link: OutboundLink): Promise<void> {
    peer.delivery = first.delivery
    for await (const _ of link.replies) if (first.link === null) return
  }

  /** Nothing is said on the link of a second address: it would never hear that the first is gone. */
  #closeAliases(gone: Peer): void {
    for (const peer of this.#parts.peers.all()) {
      if (peer !== gone && peer.peerId === gone.peerId) peer.link?.close()
    }
  }
}

/** What makes the caller draw a new id: more of its index was recorded than it can hold. */
function beyondEverything(
  { peerId, epoch }: Hello,
  recorded: Hello['recorded'],
): readonly Recorded[] {
  const others = recorded.filter((one) => one.peerId !== peerId)
  return [{ peerId, epoch, sequence: Number.MAX_SAFE_INTEGER }, ...others]
}
