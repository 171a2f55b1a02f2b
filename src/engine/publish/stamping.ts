import {
  announcedVersion,
  detect,
  newVersion,
  stampedAnew,
  tombstoneOf,
  unversionedEntry,
  type Finding,
} from '../../core/detect.ts'
import {
  canHaveCopy,
  conflictCopyOf,
  copyAttempts,
  isConflictCopy,
  originalOf,
} from '../../core/conflict.ts'
import type { Sha256 } from '../../core/digest.ts'
import {
  contentDigest,
  isLive,
  sameContent,
  sameMetadata,
  type Entry,
  type LiveEntry,
} from '../../core/entry.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import { sameObservation, type Observation } from '../../core/observation.ts'
import { parsePeerId } from '../../core/peer-id.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { SyncMode } from '../../core/protocol.ts'
import {
  compareVectors,
  emptyVector,
  formatVector,
  mergeVectors,
  vectorOf,
  type Dot,
  type VersionVector,
} from '../../core/version-vector.ts'
import type { HashedDifference } from './findings.ts'
import type { Put } from '../ledger.ts'
import type { Clock, Store } from '../ports.ts'
import type { Peers } from '../links/peers.ts'
import type { Self } from '../self.ts'

/** Turns what was found on the disk into index records: which version it is (rules 2, 9, 10). Commits nothing. */
export class Stamping {
  readonly #store: Store
  readonly #peers: Pick<Peers, 'receipts'>
  readonly #self: Self
  readonly #clock: Clock
  readonly #sha256: Sha256
  readonly #keepsModes: boolean
  /** What is changed here counts as newer than all that was recorded (rule M2). */
  readonly #isOverAll: boolean

  constructor(parts: {
    store: Store
    peers: Pick<Peers, 'receipts'>
    self: Self
    clock: Clock
    sha256: Sha256
    keepsModes: boolean
    mode: SyncMode
  }) {
    this.#store = parts.store
    this.#peers = parts.peers
    this.#self = parts.self
    this.#clock = parts.clock
    this.#sha256 = parts.sha256
    this.#keepsModes = parts.keepsModes
    this.#isOverAll = parts.mode === 'send-only'
  }

  /** The index says all of what was found, but for the observation. */
  isAsKnown({ finding, record }: HashedDifference): boolean {
    return detect(record?.entry ?? null, finding, { keepsModes: this.#keepsModes }) === 'nothing'
  }

  /** What was found as an entry without a version, over nothing (rules 9 and M5). */
  unversioned(finding: Finding): LiveEntry {
    const keepsModes = this.#keepsModes
    const draft = unversionedEntry(finding, { pseudoDot: noDot, keepsModes })
    return unversionedEntry(finding, { pseudoDot: this.pseudoDot(draft), keepsModes })
  }

  /** The record for what was found; null when the index says all of it already. */
  found(difference: HashedDifference): Put | null {
    const { finding, record } = difference
    const known = record?.entry ?? null
    const { observation } = finding
    const keepsModes = this.#keepsModes
    if (known !== null && this.isAsKnown(difference)) {
      const seen = record?.observation ?? null
      const isSame = seen !== null && sameObservation(seen, observation)
      return isSame ? null : { entry: known, observation, isAnnounced: false, seenMs: null }
    }
    const seenMs = this.#clock.nowMs()
    if (!this.#self.isJoined && (known === null || known.version.size === 0)) {
      return { entry: this.unversioned(finding), observation, isAnnounced: false, seenMs }
    }
    const draft = newVersion(known, finding, { dot: noDot, keepsModes })
    const versions = [...this.#takeable(finding.path), ...this.#copies(finding.path)]
    const announced = announcedVersion(known, draft, versions)
    if (announced !== null)
      return { entry: announced, observation, isAnnounced: true, seenMs: null }
    const over = this.#overAll(finding.path)
    const entry = newVersion(known, finding, { dot: this.#self.nextDot(), keepsModes, over })
    return { entry, observation, isAnnounced: true, seenMs }
  }

  /** The tombstone for a path that is gone; null when it was never announced and is simply forgotten. */
  gone({ entry }: IndexRecord): Put | null {
    if (!isLive(entry) || entry.version.size === 0) return null
    const nowMs = this.#clock.nowMs()
    for (const remote of this.#announced(entry.path)) {
      const isNewer = compareVectors(entry.version, remote.version) === 'behind'
      if (remote.kind === 'tombstone' && isNewer) {
        return { entry: remote, observation: null, isAnnounced: true, seenMs: null }
      }
    }
    const tombstone = tombstoneOf(entry, {
      dot: this.#self.nextDot(),
      deletedUs: nowMs * 1000,
      over: this.#overAll(entry.path),
    })
    return { entry: tombstone, observation: null, isAnnounced: true, seenMs: nowMs }
  }

  /**
   * What a power loss left where nobody has what was there (rule 23): as found in joining, so that whatever version anybody has wins over it,
   * and who has the one that was lost keeps it. Where nobody has any, others are told at once: they may wait for what was lost.
   */
  left({ finding }: HashedDifference): Put {
    const entry = this.unversioned(finding)
    if (!this.#announced(finding.path).some(isLive)) return this.founded(entry, finding.observation)
    return { entry, observation: finding.observation, isAnnounced: false, seenMs: null }
  }

  /** The same where nothing was left: a delete of nothing that anybody has. */
  lost({ entry }: IndexRecord): Put | null {
    if (!isLive(entry) || entry.version.size === 0) return null
    const nowMs = this.#clock.nowMs()
    const tombstone = tombstoneOf(entry, { dot: noDot, deletedUs: nowMs * 1000 })
    if (tombstone.kind !== 'tombstone') return null
    // It names nothing that was deleted: who joins with the lost content keeps it (rule 9).
    return this.founded({ ...tombstone, removedKind: 'directory', removedDigest: null }, null)
  }

  /**
   * A directory that has to be where a power loss took `lost` (rules 11 and 23): beside it, so that whoever has that keeps a copy of it. A dot of
   * ours would cover all that we wrote before, and with no version it would give way, which it cannot. This one nobody has seen.
   */
  beside(finding: Finding, lost: Entry): Put {
    const entry = this.unversioned(finding)
    const dot = this.pseudoDot(entry, formatVector(lost.version))
    const stamped = { ...entry, version: vectorOf(dot), contentDot: dot, metadataDot: dot }
    const seenMs = this.#clock.nowMs()
    return { entry: stamped, observation: finding.observation, isAnnounced: true, seenMs }
  }

  /**
   * A founder's stamp: the same on every founder that holds the same content (rule 9). Of what others have too, a send-only peer takes over the
   * version, or makes one over what is the same or deleted (rule M3).
   */
  founded(entry: Entry, observation: Observation | null): Put {
    const put = { observation, isAnnounced: true, seenMs: this.#clock.nowMs() }
    if (this.#isOverAll && isLive(entry)) {
      const announced = this.#announced(entry.path)
      const same = announced.find(
        (one) =>
          sameContent(one, entry) &&
          sameMetadata(one, entry) &&
          !announced.some(({ version }) => compareVectors(one.version, version) === 'behind'),
      )
      if (same !== undefined) return { ...put, entry: same, seenMs: null }
      const over = covering(
        announced.filter((one) => one.kind === 'tombstone' || sameContent(one, entry)),
      )
      if (over.size > 0) return { ...put, entry: stampedAnew(entry, over, this.#self.nextDot()) }
    }
    const dot = this.pseudoDot(entry)
    const version = new Map([[dot.peer, dot.counter]])
    const stamped = { ...entry, version, contentDot: dot, metadataDot: dot }
    return { ...put, entry: stamped }
  }

  /** {first 64 bits of SHA-256(path, kind, digest): 1}; `apart` tells two apart that would be equal in these. */
  pseudoDot(entry: Entry, ...apart: readonly string[]): Dot {
    const parts = [entry.path, entry.kind, contentDigest(entry) ?? '', ...apart]
    const digest = this.#sha256(parts.join('\0'))
    return { peer: parsePeerId(digest.slice(0, 16)), counter: 1 }
  }

  #overAll(path: RelativePath): VersionVector {
    return this.#isOverAll ? covering(this.#announced(path)) : emptyVector
  }

  /** Rule 4 goes before rule 10: not what covers content whose conflict copy is still to come. */
  #takeable(path: RelativePath): Entry[] {
    return this.#store
      .remote(path)
      .filter(
        ({ peer, sequence }) => this.#peers.receipts(peer).openCopyOf(path, sequence) === null,
      )
      .map(({ entry }) => entry)
  }

  /**
   * What a conflict copy with this name is of what the index has (rule 7): an earlier life made it and ended before it was recorded. Under any other
   * version nobody would know what it is the copy of (rule 4).
   */
  #copies(path: RelativePath): Entry[] {
    if (!isConflictCopy(path)) return []
    const loser = this.#store.get(originalOf(path))?.entry
    if (loser === undefined || !canHaveCopy(loser)) return []
    return Array.from({ length: copyAttempts }, (_, attempt) =>
      conflictCopyOf(loser, attempt),
    ).filter((copy) => copy.path === path)
  }

  #announced(path: RelativePath): Entry[] {
    return this.#store.remote(path).map(({ entry }) => entry)
  }
}

function covering(entries: readonly Entry[]): VersionVector {
  return entries.reduce<VersionVector>(
    (over, { version }) => mergeVectors(over, version),
    emptyVector,
  )
}

/** Stands in while it is not known whether a dot will be issued. */
const noDot: Dot = { peer: parsePeerId('0000000000000000'), counter: 1 }
