import type { Digest } from '../../core/digest.ts'
import { SyndError } from '../../core/errors.ts'
import { sameContent } from '../../core/entry.ts'
import type { RemoteRecord } from '../../core/index-record.ts'
import type { PeerId } from '../../core/peer-id.ts'
import type { ProblemCode } from '../../core/problem.ts'
import type { SyncMode } from '../../core/protocol.ts'
import { parentOf, type RelativePath } from '../../core/relative-path.ts'
import type { Applier, Ready } from './applier.ts'
import type { Contention } from './contention.ts'
import type { Decider } from './decider.ts'
import type { Intent } from './verdict.ts'
import { Fetcher } from './fetcher.ts'
import type { Bytes } from './local-bytes.ts'
import { Search } from './search.ts'
import { Sources } from './sources.ts'
import type { HeldDeletes } from '../publish/held-deletes.ts'
import type { Inbox } from './inbox.ts'
import { Overlay } from './overlay.ts'
import type { Peer, Peers } from '../links/peers.ts'
import type { LocalChanges } from '../local-changes.ts'
import type { Chance, Clock, Observer, Store, Transfer, Volume } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'
import { Wake } from '../wake.ts'

/** Decided at one go; a turn of the loop stays short. */
const decideAtOnce = 256

/** Applied and committed together: one sync of the index for many files. */
const applyAtOnce = 512

export interface PullerParts {
  readonly store: Store
  readonly volume: Volume
  readonly transfer: Transfer
  readonly clock: Clock
  readonly mode: SyncMode
  readonly chance: Chance
  readonly observer: Observer
  readonly inbox: Inbox
  readonly decider: Decider
  readonly applier: Applier
  readonly contention: Contention
  readonly peers: Peers
  readonly heldDeletes: HeldDeletes
  readonly localChanges: LocalChanges
  readonly problems: ProblemList
  readonly onFailed: (path: RelativePath, code: ProblemCode) => void
  /** Content that this peer had and lost is nowhere. */
  readonly onNobodyHas: (path: RelativePath) => Promise<void>
  /** Something is to be put into a directory whose delete is held. */
  readonly onHeldPlace: (directory: RelativePath) => Promise<void>
  /** After each round of decisions: acknowledgements can be told, and the state may have changed. */
  readonly onDecided: () => void
}

/** So many wait to be applied before no more are decided: who announces little does not wait behind who announces a million. */
const readyAtOnce = 2 * applyAtOnce

/** From announced versions to the disk: decide, get the bytes (from here, or from a peer), apply in batches. */
export class Puller {
  readonly #parts: PullerParts
  readonly #fetcher: Fetcher
  readonly #search: Search
  readonly #ready: Ready[] = []
  readonly #readyWake = new Wake()
  readonly #takenWake = new Wake()
  readonly #sources: Sources
  #isApplying = false

  constructor(parts: PullerParts) {
    this.#parts = parts
    this.#search = new Search({ peers: parts.peers })
    this.#sources = new Sources(parts)
    this.#fetcher = new Fetcher({
      ...parts,
      sources: this.#sources,
      isMovable: (from, intent) => parts.applier.isMovable(from, intent),
      deliver: (intent, bytes) => this.#deliver(intent, bytes),
      onSourceFailed: (peer, error, intents) => this.#sourceFailed(peer, error, intents),
      onSourceWorked: (peer) => this.#sourceWorked(peer),
      onSuperseded: (peer, intent) => this.#superseded(peer, intent),
      backlog: () => this.#ready.length,
    })
    parts.transfer.onTrustChange?.(() => {
      this.#sources.wake(parts.peers.all())
      parts.inbox.hurry()
    })
  }

  /** Something is being fetched or applied. */
  get isBusy(): boolean {
    return this.#isApplying || this.#ready.length > 0 || this.#fetcher.inFlight > 0
  }

  /** For which path a file with that content is needed where it is, for a moment; null: for none. */
  wanterOf(digest: Digest): RelativePath | null {
    return this.#fetcher.wanterOf(digest)
  }

  /** Runs until the signal aborts and what was begun is finished or dropped. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.race([
      Promise.all([this.#decideLoop(signal), this.#applyLoop(signal)]),
      this.#fetcher.failed,
    ])
    await this.#fetcher.drained()
    for (const { stage } of this.#ready.splice(0)) await stage?.discard()
    await this.#parts.applier.drained()
  }

  async #decideLoop(signal: AbortSignal): Promise<void> {
    const { store, inbox, clock, onDecided } = this.#parts
    while (!signal.aborted) {
      if (this.#ready.length >= readyAtOnce) {
        await this.#takenWake.wait(clock, null, signal)
        continue
      }
      const delayMs = inbox.nextDelayMs()
      if (delayMs === null || delayMs > 0) {
        await inbox.wake.wait(clock, delayMs, signal)
        continue
      }
      const overlay = new Overlay({ store })
      for (const path of inbox.take(decideAtOnce)) this.#decide(path, overlay, signal)
      onDecided()
      await clock.yield()
    }
  }

  #decide(path: RelativePath, overlay: Overlay, signal: AbortSignal): void {
    const { decider, applier, inbox, peers, contention, clock, problems, localChanges } =
      this.#parts
    const startMs = clock.monotonicMs()
    const verdict = decider.decide(path, overlay, ({ peer, sequence }, kind) => {
      const receipts = peers.receipts(peer)
      if (receipts.sequenceOf(path) !== sequence) return
      if (kind === 'declined') receipts.decline(path)
      else receipts.close(path, { kind })
    })
    if (verdict.kind === 'settled') return inbox.done(path)
    if (verdict.kind === 'park')
      return this.#park(path, verdict.on, { tookMs: clock.monotonicMs() - startMs })
    const { intent } = verdict
    const contendedMs = intent.loser === null ? 0 : contention.delayMs(path, clock.monotonicMs())
    if (contendedMs > 0) {
      const message =
        'changed on several peers again and again: the next conflict is resolved later'
      problems.set({ code: 'contended', path, message }, clock.nowMs())
      return inbox.postpone(path, contendedMs)
    }
    if (!intent.needsBytes) {
      const shown = localChanges.shownAt(path, overlay.get(path))
      const wanter = applier.wanterOf(intent, shown)
      return wanter === null ? this.#deliver(intent, null) : inbox.park(path, wanter)
    }
    if (intent.isLost && this.#search.isInVain(path)) return this.#giveUp(path)
    this.#fetcher.fetch(intent, this.#holdersOf(intent, overlay.remote(path)), signal)
  }

  /**
   * Linked peers that announced the wanted content under this name; who announced the decided version first. What was ours is with whoever
   * took it over: such peers announce nothing of it, and are asked after the others.
   */
  #holdersOf({ entry, remote, isLost }: Intent, announced: readonly RemoteRecord[]): Peer[] {
    const { peers } = this.#parts
    const holders = announced.filter((held) => sameContent(held.entry, entry))
    const preferred = remote?.peer ?? null
    const isFirst = (peer: PeerId): number => (peer === preferred ? 0 : 1)
    const known = holders
      .toSorted((a, b) => isFirst(a.peer) - isFirst(b.peer))
      .map(({ peer }) => peers.linked(peer))
      .filter((peer) => peer !== null)
    if (!isLost) return known
    return [...known, ...peers.connected().filter((peer) => !known.includes(peer))]
  }

  #superseded({ peerId }: Peer, { path, entry, isLost }: Intent): void {
    const { inbox, peers, store } = this.#parts
    const told = peerId === null ? null : store.remoteOf(peerId, path)
    // Meanwhile it may have announced something else, which it was not asked for.
    if (told !== null && sameContent(told.entry, entry)) peers.receipts(told.peer).supersede(path)
    if (isLost && peerId !== null) this.#search.isNotAt(peerId, path)
    if (isLost && this.#search.isInVain(path)) this.#giveUp(path)
    else inbox.retry(path)
  }

  #park(path: RelativePath, on: RelativePath | null, { tookMs }: { tookMs: number }): void {
    const { inbox, heldDeletes, localChanges, onHeldPlace } = this.#parts
    inbox.park(path, on, { tookMs })
    if (on === null || on !== parentOf(path)) return
    if (heldDeletes.has(on) || localChanges.has(on)) this.#fetcher.track(onHeldPlace(on))
  }

  #giveUp(path: RelativePath): void {
    this.#search.end(path)
    this.#parts.inbox.done(path)
    this.#fetcher.track(this.#parts.onNobodyHas(path))
  }

  /** `bytes`: null where none are needed. */
  #deliver(intent: Intent, bytes: Bytes | null): void {
    this.#ready.push({ intent, stage: bytes?.stage ?? null, source: bytes?.source ?? null })
    this.#readyWake.call()
  }

  async #applyLoop(signal: AbortSignal): Promise<void> {
    const { clock, applier, onDecided } = this.#parts
    while (!signal.aborted) {
      if (this.#ready.length === 0) {
        await this.#readyWake.wait(clock, null, signal)
        continue
      }
      this.#isApplying = true
      const batch = this.#ready.splice(0, applyAtOnce)
      this.#takenWake.call()
      try {
        await applier.apply(batch)
      } finally {
        for (const { intent, source } of batch) if (source !== null) this.#fetcher.settled(intent)
        this.#isApplying = false
      }
      onDecided()
    }
  }

  /** The connection failed, which is no problem of the paths: others are asked, or the peer is once it has rested. */
  #sourceFailed(peer: Peer, error: SyndError, intents: readonly Intent[]): void {
    const { observer, inbox } = this.#parts
    const { address } = peer
    const { code, message } = error
    const isNews = this.#sources.failed(peer, error)
    observer.transferFailed(address, code)
    observer.log(isNews ? 'warn' : 'debug', 'pull failed', { peer: address, code, reason: message })
    for (const { path } of intents) inbox.postpone(path, 0)
  }

  #sourceWorked(peer: Peer): void {
    if (!this.#sources.worked(peer)) return
    this.#parts.observer.log('info', 'pulls work again', { peer: peer.address })
  }
}
