import { canHaveCopy, conflictCopyPath, type Loser } from '../../core/conflict.ts'
import { stampedAnew } from '../../core/detect.ts'
import { isLive, sameContent, sameMetadata, type Entry, type LiveEntry } from '../../core/entry.ts'
import type { IndexRecord, RemoteRecord } from '../../core/index-record.ts'
import type { PeerId } from '../../core/peer-id.ts'
import { reconcile, type Decision } from '../../core/reconcile.ts'
import { parentOf, type RelativePath } from '../../core/relative-path.ts'
import { compareVectors, coversDot, mergeVectors } from '../../core/version-vector.ts'
import { compareForWinner } from '../../core/winner.ts'
import type { Overlay } from './overlay.ts'
import type { Store } from '../ports.ts'
import type { Self } from '../self.ts'

/** What is to be done about a path. */
export interface Intent {
  readonly path: RelativePath
  /** What the index is to hold. */
  readonly entry: Entry
  /** The announcement that led to it; null: ours, whose bytes are missing here. */
  readonly remote: RemoteRecord | null
  /** What must have a conflict copy first. */
  readonly loser: Loser | null
  readonly isVersionReuse: boolean
  /** Content that is not on this disk under this name yet. */
  readonly needsBytes: boolean
  /** Content that was here and is not any more: peers that took it over from us may never have announced it back. */
  readonly isLost: boolean
}

export type Verdict =
  /** Nothing more to do until something is announced or committed. */
  | { readonly kind: 'settled' }
  /** Not now: another path comes first (null: another peer must act). */
  | { readonly kind: 'park'; readonly on: RelativePath | null }
  | { readonly kind: 'intent'; readonly intent: Intent }

interface Candidate {
  readonly remote: RemoteRecord
  readonly decision: Extract<Decision, { kind: 'become' | 'stamp' }>
}

/** How many names a conflict copy may have (core/conflict.ts). */
export const copyAttempts = 4

/** Decides what to make of all that was announced for a path. Reads only. */
export class Decider {
  readonly #store: Store
  readonly #self: Self
  readonly #isHeld: (path: RelativePath) => boolean
  readonly #isDamaged: (path: RelativePath) => boolean
  readonly #isComplete: (peer: PeerId) => boolean
  readonly #isLinked: (peer: PeerId) => boolean
  readonly #isIgnored: (path: RelativePath, isDirectory: boolean) => boolean

  /**
   * `isComplete`: everything that peer had when it last spoke is recorded. `isHeld`: gone here, the delete is held back. `isDamaged`: a power
   * loss took the bytes (rule 23).
   */
  constructor(parts: {
    store: Store
    self: Self
    isHeld: (path: RelativePath) => boolean
    isDamaged: (path: RelativePath) => boolean
    isComplete: (peer: PeerId) => boolean
    isLinked: (peer: PeerId) => boolean
    isIgnored: (path: RelativePath, isDirectory: boolean) => boolean
  }) {
    this.#store = parts.store
    this.#self = parts.self
    this.#isHeld = parts.isHeld
    this.#isDamaged = parts.isDamaged
    this.#isComplete = parts.isComplete
    this.#isLinked = parts.isLinked
    this.#isIgnored = parts.isIgnored
  }

  /** `onDone` is told of each announcement of which nothing more will come: our index covers it, or the path is ignored (rule 14). */
  decide(
    path: RelativePath,
    overlay: Overlay,
    onDone: (remote: RemoteRecord, outcome: 'applied' | 'not-wanted') => void = () => undefined,
  ): Verdict {
    const record = overlay.get(path)
    const candidates: Candidate[] = []
    let isAwaited = false
    for (const remote of overlay.remote(path)) {
      if (this.#isUnwanted(remote.entry, record)) {
        onDone(remote, 'not-wanted')
        continue
      }
      const decision = this.reconcile(record, remote.entry, overlay)
      if (decision.kind === 'keep') onDone(remote, 'applied')
      else if (decision.kind === 'await') isAwaited = true
      else candidates.push({ remote, decision })
    }
    const sorted = candidates.toSorted(byNewest)
    const best = sorted.find(({ decision }) => this.#isObtainable(decision, record, overlay))
    if (best !== undefined) return this.#verdict(best, record, overlay)
    if (isLive(record?.entry) && this.#isMissing(record))
      return this.#restore(record.entry, overlay)
    if (sorted[0] !== undefined) return this.#verdict(sorted[0], record, overlay)
    return isAwaited ? { kind: 'park', on: null } : { kind: 'settled' }
  }

  /** Rule 14. What is live here is not ignored as what it is: deletes of it count, whatever they say that they deleted. */
  #isUnwanted(entry: Entry, record: IndexRecord | null): boolean {
    if (entry.kind === 'tombstone' && isLive(record?.entry)) return false
    const kind = entry.kind === 'tombstone' ? entry.removedKind : entry.kind
    return this.#isIgnored(entry.path, kind === 'directory')
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
      .some((held) => sameContent(held.entry, entry) && this.#isLinked(held.peer))
    return isAtPeer || this.#store.findByDigest(entry.digest, 1).length > 0
  }

  reconcile(record: IndexRecord | null, remote: Entry, overlay: Overlay): Decision {
    return reconcile(record?.entry ?? null, remote, (loser) => this.hasCopyOf(loser, overlay))
  }

  /** Whether the index has the conflict copy, or its tombstone, of that content (rule 4). */
  hasCopyOf(loser: Entry, overlay: Overlay): boolean {
    if (!canHaveCopy(loser)) return false
    for (let attempt = 0; attempt < copyAttempts; attempt++) {
      const copy = overlay.get(conflictCopyPath(loser, attempt))
      if (copy !== null && coversDot(copy.entry.version, loser.contentDot)) return true
    }
    return false
  }

  #verdict({ remote, decision }: Candidate, record: IndexRecord | null, overlay: Overlay): Verdict {
    const { path } = remote.entry
    if (decision.kind === 'stamp') return this.#stamp(remote, record, overlay)
    const { entry, isVersionReuse } = decision
    const loser = decision.loser !== null && canHaveCopy(decision.loser) ? decision.loser : null
    const parent = parentOf(path)
    const isHere = this.#isHere(record, entry)
    if (isLive(entry) && !(isHere ? overlay.isDirectory(parent) : this.#isPlace(parent, overlay)))
      return { kind: 'park', on: parent }
    // Rule 4: whoever resolves a conflict holds the losing bytes.
    if (loser !== null && record !== null && this.#isMissing(record))
      return this.#restore(loser, overlay)
    if (
      record?.entry.kind === 'directory' &&
      entry.kind !== 'directory' &&
      record.observation !== null
    ) {
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

  /** What the index says is not on this disk, and nobody deleted it: it must come from a peer again. */
  #isMissing({ entry, observation }: IndexRecord): boolean {
    return observation === null || this.#isDamaged(entry.path)
  }

  /** If nobody has it, what is here stands: it was ours and is missing, or takes the place of what was (rule 23). */
  #isOursToFind(record: IndexRecord, entry: Entry): boolean {
    if (record.entry.version.size === 0) return this.#self.isJoined
    return sameContent(record.entry, entry) && this.#isMissing(record)
  }

  /** Something can be put into the directory: it is on the disk. */
  #isPlace(directory: RelativePath | null, overlay: Overlay): boolean {
    if (directory === null) return true
    const isGone = this.#isDamaged(directory) || this.#isHeld(directory)
    return overlay.isDirectory(directory) && !isGone
  }

  /** Ours again, from whoever has it. */
  #restore(entry: LiveEntry, overlay: Overlay): Verdict {
    const { path, kind } = entry
    const parent = parentOf(path)
    if (!this.#isPlace(parent, overlay)) return { kind: 'park', on: parent }
    const needsBytes = kind === 'file'
    const intent = {
      path,
      entry,
      remote: null,
      loser: null,
      isVersionReuse: false,
      needsBytes,
      isLost: true,
    }
    return { kind: 'intent', intent }
  }

  /** The content is on the disk under its name; of a held delete only the version may still change (rule 19). */
  #isHere(record: IndexRecord | null, entry: Entry): boolean {
    if (record === null || this.#isMissing(record) || !sameContent(record.entry, entry))
      return false
    return !this.#isHeld(entry.path) || sameMetadata(record.entry, entry)
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
    const isDeleted = (child: IndexRecord): boolean =>
      overlay
        .remote(child.entry.path)
        .some(
          ({ entry }) =>
            entry.kind === 'tombstone' &&
            compareVectors(child.entry.version, entry.version) === 'behind',
        )
    const kept = children.find((child) => !isDeleted(child))
    if (kept !== undefined && this.#isComplete(remote.peer))
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
    const intent = {
      path,
      entry,
      remote,
      loser: null,
      isVersionReuse: false,
      needsBytes: false,
      isLost: false,
    }
    return { kind: 'intent', intent }
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
