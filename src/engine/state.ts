import { toText } from '../core/relative-path.ts'
import type { PeerStatus, Status, VolumeState } from '../core/status.ts'
import type { Census } from './census.ts'
import type { Damage } from './damage.ts'
import type { HeldDeletes } from './publish/held-deletes.ts'
import type { Inbox } from './pull/inbox.ts'
import type { Ledger } from './ledger.ts'
import { isConflictCopy } from '../core/conflict.ts'
import type { LocalChanges } from './local-changes.ts'
import type { Peer, Peers } from './links/peers.ts'
import type { Clock, Volume } from './ports.ts'
import type { ProblemList } from './problem-list.ts'
import type { Publisher } from './publish/publisher.ts'
import type { Puller } from './pull/puller.ts'
import type { Self } from './self.ts'

/** Without an answer from anybody for so long, the start is over (README, Monitoring: `/startupz`). */
const startAloneMs = 30_000

export interface StateParts {
  readonly clock: Clock
  readonly volume: Volume
  readonly self: Self
  readonly ledger: Ledger
  readonly census: Census
  readonly publisher: Publisher
  readonly puller: Puller
  readonly inbox: Inbox
  readonly peers: Peers
  readonly heldDeletes: HeldDeletes
  readonly damage: Damage
  readonly localChanges: LocalChanges
  readonly problems: ProblemList
  readonly name: string
  readonly mode: string
  readonly version: string
  readonly volumePath: string
}

/** What this peer can truthfully say of itself (rule 18). Derived at each question; stores only when things were last true. */
export class State {
  readonly #parts: StateParts
  readonly #startMs: number
  readonly #lastInSyncMs = new Map<string, number>()
  #isStarted = false

  constructor(parts: StateParts) {
    this.#parts = parts
    this.#startMs = parts.clock.monotonicMs()
  }

  /** Nothing unfinished here and nothing kept apart, as of every event received: what `settled` tells the others. */
  get isSettled(): boolean {
    return this.#isIdle && this.diverged === 0
  }

  /** How many paths our mode keeps apart (rule M8). */
  get diverged(): number {
    const { mode, peers, localChanges } = this.#parts
    return mode === 'send-only' ? peers.declined : localChanges.size
  }

  get #isIdle(): boolean {
    const { publisher, puller, inbox, heldDeletes, damage, census, self, volume } = this.#parts
    if (!publisher.isFirstScanCommitted || publisher.isBusy || puller.isBusy || inbox.busy > 0)
      return false
    if (
      heldDeletes.size > 0 ||
      damage.size > 0 ||
      census.missing.size > 0 ||
      census.unversioned.size > 0 ||
      !self.isJoined ||
      volume.halt() !== null
    )
      return false
    return this.#parts.peers.connected().every((peer) => this.#openFrom(peer) === 0)
  }

  get inSync(): boolean {
    const { peers } = this.#parts
    return (
      this.isSettled &&
      peers.unresolved.length === 0 &&
      peers.all().every((peer) => this.#isInSyncWith(peer))
    )
  }

  /** Called on every change: notes when each peer was in sync. */
  note(): void {
    const nowMs = this.#parts.clock.nowMs()
    const isSettled = this.isSettled
    for (const peer of this.#parts.peers.all()) {
      if (isSettled && this.#isInSyncWith(peer)) this.#lastInSyncMs.set(peer.address, nowMs)
    }
    this.#isStarted ||= this.#hasStarted()
  }

  status(): Status {
    const {
      self,
      name,
      mode,
      version,
      volumePath,
      volume,
      census,
      heldDeletes,
      peers,
      problems,
      publisher,
      localChanges,
    } = this.#parts
    const localCopies = localChanges
      .paths()
      .filter((path) => isConflictCopy(path) && !localChanges.isGone(path))
    const conflictCopies = [...new Set([...census.conflictCopies, ...localCopies])]
    const halt = volume.halt()
    return {
      peer: { id: self.peerId, name },
      version,
      mode,
      volume: {
        path: volumePath,
        state: this.#volumeState(halt !== null),
        haltedBecause: halt?.message ?? null,
        files: census.files,
        directories: census.directories,
        symlinks: census.symlinks,
        bytes: census.sizeBytes,
        ignored: publisher.ignored,
        tombstones: census.tombstones,
        heldDeletes: heldDeletes.size,
        diverged: this.diverged,
        treeDigest: localChanges.treeDigest,
      },
      inSync: this.inSync,
      isScanned: publisher.isFirstScanDone,
      isStarted: this.#isStarted,
      peers: peers.all().map((peer) => this.#peerStatus(peer)),
      problems: problems.all().map(({ path, code, message, sinceMs }) => ({
        path: path === null ? null : toText(path),
        code,
        message,
        since: isoTime(sinceMs),
      })),
      conflicts: conflictCopies.map(toText),
    }
  }

  #isInSyncWith(peer: Peer): boolean {
    const { peers, localChanges } = this.#parts
    const linked = peer.peerId === null ? null : peers.linked(peer.peerId)
    if (linked === null || peer.peerId === null || !peers.isUp(peer)) return false
    const { settled, delivery, diverged } = linked
    if (delivery === null) return false
    const receipts = peers.receipts(peer.peerId)
    return (
      peers.callers.has(peer.peerId) &&
      delivery.pending === 0 &&
      receipts.isComplete &&
      settled === receipts.recordedUpTo &&
      diverged === 0 &&
      receipts.open === 0 &&
      receipts.declined === 0 &&
      localChanges.size === 0
    )
  }

  #openFrom(peer: Peer): number {
    return peer.peerId === null ? 0 : this.#parts.peers.receipts(peer.peerId).open
  }

  /** The first scan is done and each peer that answered was reconciled once, or none answered for a while. */
  #hasStarted(): boolean {
    const { publisher, peers, clock, inbox, puller, self } = this.#parts
    if (!publisher.isFirstScanCommitted) return false
    const answered = peers.all().filter(({ hasAnswered }) => hasAnswered)
    if (answered.length === 0) {
      return peers.all().length === 0 || clock.monotonicMs() - this.#startMs >= startAloneMs
    }
    const isAllHeard = answered.every(
      ({ peerId }) => peerId !== null && peers.receipts(peerId).isComplete,
    )
    return isAllHeard && self.isJoined && inbox.busy === 0 && !puller.isBusy
  }

  #volumeState(isHalted: boolean): VolumeState {
    const { publisher } = this.#parts
    if (isHalted) return 'halted'
    if (!publisher.isFirstScanDone) return publisher.isInRound ? 'scanning' : 'starting'
    return this.#isIdle ? 'idle' : 'syncing'
  }

  #peerStatus(peer: Peer): PeerStatus {
    const { address, peerId, name, delivery, lastError } = peer
    const connected = this.#parts.peers.isUp(peer)
    const oldest = delivery?.oldestPendingMs ?? null
    const lastInSync = this.#lastInSyncMs.get(address) ?? null
    return {
      id: peerId,
      name,
      address,
      connected,
      inSync: this.#isInSyncWith(peer),
      pendingChanges: delivery?.pending ?? 0,
      diverged: peer.diverged,
      oldestPendingTimestamp: oldest === null ? null : isoTime(oldest),
      lastSyncTimestamp: lastInSync === null ? null : isoTime(lastInSync),
      lastError: connected ? null : (lastError?.message ?? null),
    }
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
