import {
  announcedVersion,
  detect,
  newVersion,
  tombstoneOf,
  unversionedEntry,
  type Finding,
} from '../../core/detect.ts'
import type { Sha256 } from '../../core/digest.ts'
import { contentDigest, isLive, type Entry, type LiveEntry } from '../../core/entry.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import { sameObservation, type Observation } from '../../core/observation.ts'
import { parsePeerId } from '../../core/peer-id.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import { compareVectors, type Dot } from '../../core/version-vector.ts'
import type { HashedDifference } from './findings.ts'
import type { Put } from '../ledger.ts'
import type { Clock, Store } from '../ports.ts'
import type { Self } from '../self.ts'

/** Turns what was found on the disk into index records: which version it is (rules 2, 9, 10). Commits nothing. */
export class Stamping {
  readonly #store: Store
  readonly #self: Self
  readonly #clock: Clock
  readonly #sha256: Sha256
  readonly #keepsModes: boolean

  constructor(parts: {
    store: Store
    self: Self
    clock: Clock
    sha256: Sha256
    keepsModes: boolean
  }) {
    this.#store = parts.store
    this.#self = parts.self
    this.#clock = parts.clock
    this.#sha256 = parts.sha256
    this.#keepsModes = parts.keepsModes
  }

  /** The record for what was found; null when the index says all of it already. */
  found({ finding, record }: HashedDifference): Put | null {
    const known = record?.entry ?? null
    const { observation } = finding
    const keepsModes = this.#keepsModes
    if (detect(known, finding, { keepsModes }) === 'nothing' && known !== null) {
      const seen = record?.observation ?? null
      const isSame = seen !== null && sameObservation(seen, observation)
      return isSame ? null : { entry: known, observation, isAnnounced: false, seenMs: null }
    }
    const seenMs = this.#clock.nowMs()
    if (!this.#self.isJoined && (known === null || known.version.size === 0)) {
      return { entry: this.#unversioned(finding), observation, isAnnounced: false, seenMs }
    }
    const draft = newVersion(known, finding, { dot: noDot, keepsModes })
    const announced = announcedVersion(known, draft, this.#announced(finding.path))
    if (announced !== null)
      return { entry: announced, observation, isAnnounced: true, seenMs: null }
    const entry = newVersion(known, finding, { dot: this.#self.nextDot(), keepsModes })
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
    const tombstone = tombstoneOf(entry, { dot: this.#self.nextDot(), deletedUs: nowMs * 1000 })
    return { entry: tombstone, observation: null, isAnnounced: true, seenMs: nowMs }
  }

  /**
   * What a power loss left where nobody has what was there (rule 23): as found in joining, so that whatever version anybody has wins over it,
   * and who has the one that was lost keeps it.
   */
  left({ finding }: HashedDifference): Put {
    const entry = this.#unversioned(finding)
    return { entry, observation: finding.observation, isAnnounced: false, seenMs: null }
  }

  /** The same where nothing was left: a delete of nothing that anybody has. */
  lost({ entry }: IndexRecord): Put | null {
    if (!isLive(entry) || entry.version.size === 0) return null
    const nowMs = this.#clock.nowMs()
    const tombstone = tombstoneOf(entry, { dot: noDot, deletedUs: nowMs * 1000 })
    return this.founded(tombstone, null)
  }

  /** A founder's stamp: the same on every founder that holds the same content (rule 9). */
  founded(entry: Entry, observation: Observation | null): Put {
    const dot = this.pseudoDot(entry)
    const version = new Map([[dot.peer, dot.counter]])
    const stamped = { ...entry, version, contentDot: dot, metadataDot: dot }
    return { entry: stamped, observation, isAnnounced: true, seenMs: this.#clock.nowMs() }
  }

  /** {first 64 bits of SHA-256(path, kind, digest): 1} */
  pseudoDot(entry: Entry): Dot {
    const digest = this.#sha256([entry.path, entry.kind, contentDigest(entry) ?? ''].join('\0'))
    return { peer: parsePeerId(digest.slice(0, 16)), counter: 1 }
  }

  #unversioned(finding: Finding): LiveEntry {
    const keepsModes = this.#keepsModes
    const draft = unversionedEntry(finding, { pseudoDot: noDot, keepsModes })
    return unversionedEntry(finding, { pseudoDot: this.pseudoDot(draft), keepsModes })
  }

  #announced(path: RelativePath): Entry[] {
    return this.#store.remote(path).map(({ entry }) => entry)
  }
}

/** Stands in while it is not known whether a dot will be issued. */
const noDot: Dot = { peer: parsePeerId('0000000000000000'), counter: 1 }
