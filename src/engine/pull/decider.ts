import { canHaveCopy, type Loser } from '../../core/conflict.ts'
import { stampedAnew } from '../../core/detect.ts'
import { isLive, sameContent, sameMetadata, type Entry, type LiveEntry } from '../../core/entry.ts'
import type { IndexRecord, RemoteRecord } from '../../core/index-record.ts'
import type { PeerId } from '../../core/peer-id.ts'
import type { Sequence, SyncMode } from '../../core/protocol.ts'
import { giveWay, goOver, hasMetAnother, reconcile, type Decision } from '../../core/reconcile.ts'
import { parentOf, type RelativePath } from '../../core/relative-path.ts'
import { compareVectors, coversDot, mergeVectors, withDot } from '../../core/version-vector.ts'
import { compareForWinner } from '../../core/winner.ts'
import type { LocalChanges } from '../local-changes.ts'
import { isDeleted, keepsSome } from './deleted.ts'
import { isCopyKnown } from './known-copies.ts'
import type { Verdict } from './verdict.ts'
import type { Overlay } from './overlay.ts'
import type { Store } from '../ports.ts'
import type { Self } from '../self.ts'

/** What became of an announcement: our index covers it; the path is ignored (rule 14); our mode does not take it (rule M1). */
type Done = 'applied' | 'not-wanted' | 'declined'

interface Candidate {
  readonly remote: RemoteRecord
  readonly decision: Extract<Decision, { kind: 'become' | 'stamp' }>
}

const settled: Verdict = { kind: 'settled' }

/** What is known of the peers; Peers fits. */
interface KnownPeers {
  /** Null: no link to it is up. */
  linked(peer: PeerId): {
    readonly delivery: { hasApplied(sequence: Sequence): boolean } | null
  } | null
  receipts(peer: PeerId): {
    readonly isComplete: boolean
    openCopyOf(path: RelativePath, sequence: Sequence): RelativePath | null
    isSuperseded(path: RelativePath, sequence: Sequence): boolean
  }
  modeOf(peer: PeerId): SyncMode | null
}

interface Paths {
  has(path: RelativePath): boolean
}

/** So many children of a directory are looked at for one that nobody deleted: the others when these have gone. */
const lookedAtChildren = 1_000

/** Decides what to make of all that was announced for a path. Reads only. */
export class Decider {
  readonly #store: Store
  readonly #self: Self
  readonly #peers: KnownPeers
  readonly #heldDeletes: Paths
  readonly #damage: Paths
  readonly #isIgnored: (path: RelativePath, isDirectory: boolean) => boolean
  readonly #mode: SyncMode
  readonly #localChanges: LocalChanges

  constructor(parts: {
    store: Store
    self: Self
    peers: KnownPeers
    /** Gone here, and the delete is held back. */
    heldDeletes: Paths
    /** A power loss took the bytes (rule 23). */
    damage: Paths
    isIgnored: (path: RelativePath, isDirectory: boolean) => boolean
    mode: SyncMode
    localChanges: LocalChanges
  }) {
    this.#store = parts.store
    this.#self = parts.self
    this.#peers = parts.peers
    this.#heldDeletes = parts.heldDeletes
    this.#damage = parts.damage
    this.#isIgnored = parts.isIgnored
    this.#mode = parts.mode
    this.#localChanges = parts.localChanges
  }

  /** `onDone` is told of each announcement of which nothing more will come. */
  decide(
    path: RelativePath,
    overlay: Overlay,
    onDone: (remote: RemoteRecord, outcome: Done) => void = () => undefined,
  ): Verdict {
    const record = overlay.get(path)
    const candidates: Candidate[] = []
    let awaited: Verdict | null = null
    for (const remote of overlay.remote(path)) {
      if (this.#isUnwanted(remote.entry, record)) {
        onDone(remote, 'not-wanted')
        continue
      }
      const decision = this.#reconcile(record, remote, overlay)
      const copy = this.#awaitedCopyOf(remote)
      if (decision.kind === 'keep') onDone(remote, 'applied')
      else if (
        (decision.kind === 'await' || this.#isSuperseded(remote)) &&
        this.#isOutdated(remote, record)
      )
        onDone(remote, 'applied')
      else if (this.#mode === 'send-only' && !this.#isFree(decision, record)) {
        const stays = this.#stays(remote, record, overlay)
        if (stays !== null) return stays
        onDone(remote, 'declined')
      } else if (decision.kind === 'await') awaited ??= { kind: 'park', on: null }
      else if (copy !== null) awaited = { kind: 'park', on: copy }
      else candidates.push({ remote, decision })
    }
    return this.#best(candidates.toSorted(byNewest), record, overlay) ?? awaited ?? settled
  }

  /** Rule 17: the peer applied ours since, and need not say so where we said it first (rule 16). */
  #isOutdated({ peer, entry }: RemoteRecord, record: IndexRecord | null): boolean {
    if (record === null || record.sequence === 0) return false
    const order = compareVectors(record.entry.version, entry.version)
    const isReuse = order === 'equal' && !sameContent(record.entry, entry)
    if (order !== 'concurrent' && !isReuse) return false
    return this.#peers.linked(peer)?.delivery?.hasApplied(record.sequence) === true
  }

  /** The peer said so itself, asked for the content. */
  #isSuperseded({ peer, sequence, entry }: RemoteRecord): boolean {
    return this.#peers.receipts(peer).isSuperseded(entry.path, sequence)
  }

  /** Rule 4: a conflict copy that its announcer made first and that is not here yet. */
  #awaitedCopyOf({ peer, sequence, entry }: RemoteRecord): RelativePath | null {
    return this.#peers.receipts(peer).openCopyOf(entry.path, sequence)
  }

  /** The first that can be done now; if none can, what the first waits for; null where nothing is to be done. */
  #best(
    sorted: readonly Candidate[],
    record: IndexRecord | null,
    overlay: Overlay,
  ): Verdict | null {
    let parked: Verdict | null = null
    for (const candidate of sorted) {
      if (!this.#isObtainable(candidate.decision, record, overlay)) continue
      const verdict = this.#verdict(candidate, record, overlay)
      if (verdict.kind !== 'park') return verdict
      parked ??= verdict
    }
    if (parked !== null) return parked
    if (
      isLive(record?.entry) &&
      (this.#isMissing(record) || this.#localChanges.isTakenBack(record.entry.path))
    )
      return this.#restore(record.entry, overlay)
    return sorted[0] === undefined ? null : this.#verdict(sorted[0], record, overlay)
  }

  /** Rule 14. What is live here is not ignored as what it is: deletes of it count, whatever they say that they deleted. */
  #isUnwanted(entry: Entry, record: IndexRecord | null): boolean {
    if (entry.kind === 'tombstone' && isLive(record?.entry)) return false
    const kind = entry.kind === 'tombstone' ? entry.removedKind : entry.kind
    return this.#isIgnored(entry.path, kind === 'directory')
  }

  /** Rule M1: it changes nothing on the disk, or brings back what was lost. */
  #isFree(decision: Decision, record: IndexRecord | null): boolean {
    if (decision.kind !== 'become') return false
    const { entry } = decision
    if (record === null || !isLive(record.entry)) return entry.kind === 'tombstone'
    if (this.#isMissing(record)) return true
    return this.#isHere(record, entry) && sameMetadata(record.entry, entry)
  }

  /** Rule M2: a directory that somebody else wants to go, and that holds what nobody deleted, is stamped anew. */
  #stays(remote: RemoteRecord, record: IndexRecord | null, overlay: Overlay): Verdict | null {
    if (record?.entry.kind !== 'directory' || remote.entry.kind === 'directory') return null
    const children = overlay.liveChildren(remote.entry.path)
    if (children.every((child) => isDeleted(child, overlay))) return null
    return this.#blocked(remote, { record, children, overlay })
  }

  /** Bytes that only a peer has who is away hold up nothing that somebody else announced. */
  #isObtainable(
    decision: Candidate['decision'],
    record: IndexRecord | null,
    overlay: Overlay,
  ): boolean {
    if (decision.kind === 'stamp' || decision.entry.kind !== 'file') return true
    const { entry } = decision
    if (entry.sizeBytes === 0 || this.#isHere(record, entry)) return true
    const isAtPeer = overlay
      .remote(entry.path)
      .some((held) => sameContent(held.entry, entry) && this.#peers.linked(held.peer) !== null)
    return isAtPeer || this.#store.findByDigest(entry.digest, 1).length > 0
  }

  #reconcile(record: IndexRecord | null, remote: RemoteRecord, overlay: Overlay): Decision {
    const local = record?.entry ?? null
    const decision = reconcile(local, remote.entry, (loser) => this.hasCopyOf(loser, overlay))
    if (this.#mode === 'receive-only') return goOver(decision, remote.entry)
    if (decision.kind === 'become' && local !== null && hasMetAnother(local, remote.entry)) {
      const version = withDot(decision.entry.version, this.#self.nextDot())
      return { ...decision, entry: { ...decision.entry, version } }
    }
    const mayGiveWay = decision.kind === 'await' && this.#mode === 'send-receive'
    if (!mayGiveWay || local === null || this.#peers.modeOf(remote.peer) !== 'send-only')
      return decision
    return giveWay(local, remote.entry, this.#self.nextDot()) ?? decision
  }

  /** Whether the index has the conflict copy, or its tombstone, of that content (rule 4). */
  hasCopyOf(loser: Entry, overlay: Overlay): boolean {
    return isCopyKnown(loser, overlay)
  }

  #verdict({ remote, decision }: Candidate, record: IndexRecord | null, overlay: Overlay): Verdict {
    const { path } = remote.entry
    if (decision.kind === 'stamp') return this.#stamp(remote, record, overlay)
    const { entry, isVersionReuse } = decision
    const loser = this.#loserTo(decision, record)
    const parent = parentOf(path)
    const isHere = this.#isHere(record, entry)
    if (isLive(entry) && !(isHere ? overlay.isDirectory(parent) : this.#isPlace(parent, overlay)))
      return { kind: 'park', on: parent }
    // Rule 4: whoever resolves a conflict holds the losing bytes. A delete that is held back has superseded nothing (rule 19).
    const isResolved = this.#mode !== 'receive-only' && loser !== null && record !== null
    if (isResolved && (this.#isMissing(record) || this.#heldDeletes.has(path)))
      return this.#restore(loser, overlay)
    if (record?.entry.kind === 'directory' && entry.kind !== 'directory') {
      const children = overlay.liveChildren(path)
      if (children.length > 0) return this.#blocked(remote, { record, children, overlay })
    }
    const needsBytes = entry.kind === 'file' && !isHere
    const isLost = record !== null && this.#isOursToFind(record, entry)
    return {
      kind: 'intent',
      intent: { path, entry, remote, loser, isVersionReuse, needsBytes, isLost },
    }
  }

  /** What must have a copy first: what was made here, or what loses a conflict. */
  #loserTo(
    { entry, loser }: Extract<Decision, { kind: 'become' }>,
    record: IndexRecord | null,
  ): Loser | null {
    if (this.#localChanges.has(entry.path)) return this.#localChanges.loserTo(entry, record)
    return loser !== null && canHaveCopy(loser) ? loser : null
  }

  /** What the index says is not on this disk, and nobody deleted it: it must come from a peer again. */
  #isMissing({ entry, observation }: IndexRecord): boolean {
    return observation === null || this.#damage.has(entry.path)
  }

  /** If nobody has it, what is here stands: it was ours and is missing, or takes the place of what was (rule 23). */
  #isOursToFind(record: IndexRecord, entry: Entry): boolean {
    if (record.entry.version.size === 0) return this.#self.isJoined
    return sameContent(record.entry, entry) && this.#isMissing(record)
  }

  /** Something can be put into the directory: it is on the disk. */
  #isPlace(directory: RelativePath | null, overlay: Overlay): boolean {
    if (directory === null) return true
    const isGone = this.#damage.has(directory) || this.#heldDeletes.has(directory)
    const { kind = null } = this.#localChanges.madeAt(directory)?.observation ?? {}
    const isChanged = this.#localChanges.has(directory) && kind !== 'directory'
    return overlay.isDirectory(directory) && !isGone && !isChanged
  }

  /** Ours again, from whoever has it. */
  #restore(entry: LiveEntry, overlay: Overlay): Verdict {
    const { path, kind } = entry
    const parent = parentOf(path)
    if (!this.#isPlace(parent, overlay)) return { kind: 'park', on: parent }
    const record = overlay.get(path)
    const needsBytes =
      kind === 'file' && (this.#heldDeletes.has(path) || !this.#isHere(record, entry))
    const intent = {
      path,
      entry,
      remote: null,
      loser: this.#localChanges.loserTo(entry, record),
      isVersionReuse: false,
      needsBytes,
      isLost: true,
    }
    return { kind: 'intent', intent }
  }

  /** The content is on the disk under its name; of a held delete only the version may still change (rule 19). */
  #isHere(indexed: IndexRecord | null, entry: Entry): boolean {
    const record = this.#localChanges.shownAt(entry.path, indexed)
    if (record === null || this.#isMissing(record) || !sameContent(record.entry, entry))
      return false
    return !this.#heldDeletes.has(entry.path) || sameMetadata(record.entry, entry)
  }

  /**
   * Rule 11: a directory that is to go still has live children. Those that somebody deleted go first; a child that nobody deleted keeps its
   * directory, once all that the announcer had to say is here.
   */
  #blocked(
    remote: RemoteRecord,
    {
      record,
      children,
      overlay,
    }: { record: IndexRecord; children: readonly IndexRecord[]; overlay: Overlay },
  ): Verdict {
    const looked = children.slice(0, lookedAtChildren)
    // What is missing is made again before what is in it can be: of that whatever depth counts.
    const isMissing = this.#isMissing(record)
    const kept = looked.find((child) =>
      isMissing ? keepsSome(child, overlay) : !isDeleted(child, overlay),
    )
    if (kept !== undefined && this.#peers.receipts(remote.peer).isComplete)
      return this.#stamp(remote, record, overlay)
    // One of them, not the directory: else each child that goes would have all the others looked at again.
    return { kind: 'park', on: (kept ?? children[0])?.entry.path ?? remote.entry.path }
  }

  #stamp(remote: RemoteRecord, record: IndexRecord | null, overlay: Overlay): Verdict {
    const { path } = remote.entry
    if (!isLive(record?.entry))
      throw new Error(`nothing to stamp at a path of ${path.length} bytes`)
    if (this.#isMissing(record)) return this.#restore(record.entry, overlay)
    if (!overlay.isDirectory(parentOf(path))) return { kind: 'park', on: parentOf(path) }
    // Content that nobody has superseded is not covered: its holder makes the conflict copy (rule 4).
    const over = isLive(remote.entry)
      ? record.entry.version
      : mergeVectors(record.entry.version, remote.entry.version)
    const kept = asDeleted(record.entry, remote.entry)
    const entry = stampedAnew(kept, over, this.#self.nextDot())
    const intent = { path, entry, remote, isVersionReuse: false, needsBytes: false, isLost: false }
    return { kind: 'intent', intent: { ...intent, loser: null } }
  }
}

/** A directory that comes back has the mode that it had when it was deleted, if who deleted it had seen ours (rule 11). */
function asDeleted(directory: LiveEntry, deleted: Entry): LiveEntry {
  const isDeleted = deleted.kind === 'tombstone' && deleted.removedKind === directory.kind
  if (!isDeleted || directory.kind !== 'directory' || directory.version.size === 0) return directory
  return coversDot(deleted.version, directory.metadataDot)
    ? { ...directory, mode: deleted.mode }
    : directory
}

/** The newest first; of concurrent ones the winner, so that a loser's bytes are not fetched in vain. */
function byNewest(a: Candidate, b: Candidate): number {
  const order = compareVectors(a.remote.entry.version, b.remote.entry.version)
  if (order === 'ahead') return -1
  if (order === 'behind') return 1
  return compareForWinner(b.remote.entry, a.remote.entry)
}
