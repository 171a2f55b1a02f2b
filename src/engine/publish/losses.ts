import { isLive } from '../../core/entry.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import { ancestorsOf, type RelativePath } from '../../core/relative-path.ts'
import type { Put } from '../ledger.ts'
import type { Clock, Store, Volume } from '../ports.ts'
import type { Inbox } from '../pull/inbox.ts'
import { crowding } from './crowding.ts'
import type { DirtyPaths } from './dirty-paths.ts'
import type { HashedDifference } from './findings.ts'
import type { Gone, HeldDeletes } from './held-deletes.ts'
import { isTaken } from './is-taken.ts'
import type { Repairs } from './repairs.ts'
import type { Stamping } from './stamping.ts'
import type { Confirmed, Vanishing } from './vanishing.ts'

/** A directory that cannot go yet, though something else has its name, is looked at again this often. */
const blockedMs = 1_000

export interface LossesParts {
  readonly store: Store
  readonly volume: Volume
  readonly clock: Clock
  readonly dirty: DirtyPaths
  readonly inbox: Inbox
  readonly stamping: Stamping
  readonly heldDeletes: HeldDeletes
  readonly vanishing: Vanishing
  readonly repairs: Repairs
  readonly isIgnored: (path: RelativePath, isDirectory: boolean) => boolean
}

/** What is gone for good becomes tombstones, unless it must wait, was damaged, or is needed for what is to come back. Commits nothing. */
export class Losses {
  readonly #parts: LossesParts

  constructor(parts: LossesParts) {
    this.#parts = parts
  }

  /** In the serial loop. `forgotten`: what leaves the index without a tombstone. */
  stamp(
    confirmed: Confirmed,
    hashed: readonly HashedDifference[],
  ): { puts: Put[]; forgotten: RelativePath[] } {
    const { stamping, heldDeletes, repairs, vanishing } = this.#parts
    const { gone, puts } = this.#sort(confirmed, new Set(hashed.map(({ path }) => path)))
    const forgotten: RelativePath[] = []
    for (const record of heldDeletes.sift(gone, hashed, vanishing.silent)) {
      const isGivenUp = repairs.isGivenUp(record.entry.path)
      const put = isGivenUp ? stamping.lost(record) : stamping.gone(record)
      if (put === null) forgotten.push(record.entry.path)
      else puts.push(put)
    }
    return { puts, forgotten }
  }

  /** Whether something else that has a directory's name now can be stamped: nothing in it stays. If not, it is looked at again. */
  isReplaceable(record: IndexRecord, confirmed: Confirmed): boolean {
    const { path } = record.entry
    if (!confirmed.has(path)) return false
    this.#parts.vanishing.forget(path)
    if (this.#isEmptied(record, confirmed) && !this.#isHeldBelow(path)) return true
    this.#lookAgain(path, blockedMs)
    return false
  }

  #sort(confirmed: Confirmed, found: ReadonlySet<RelativePath>): { gone: Gone[]; puts: Put[] } {
    const { store, volume, vanishing, repairs, isIgnored } = this.#parts
    const gone: Gone[] = []
    const puts: Put[] = []
    const paths = [...confirmed.keys()].filter((path) => !found.has(path)).toSorted()
    // Somebody put something else in its place: that took what was in it, no power loss.
    const isCrowded = crowding(volume, (directory) => repairs.isPending(directory))
    for (const [index, look] of volume.lookEach(paths).entries()) {
      const path = paths[index]
      if (path === undefined) break
      const isSilent = confirmed.get(path)?.isSilent === true
      vanishing.forget(path)
      const record = store.get(path)
      // What is to be pulled again is no news: somebody took it back since it was looked at.
      if (record === null || !isLive(record.entry) || record.observation === null) continue
      if (isTaken(path, look, isIgnored)) this.#lookAgain(path)
      else if (!ancestorsOf(path).some(isCrowded) && repairs.isLoss(record)) continue
      else if (this.#isEmptied(record, confirmed)) gone.push({ record, isSilent })
      else if (this.#isAwaitedBelow(path)) puts.push(this.#takeBack(record))
      else this.#lookAgain(path)
    }
    return { gone, puts }
  }

  /** No child of a directory stays in the index when this round is committed. */
  #isEmptied({ entry }: IndexRecord, confirmed: Confirmed): boolean {
    if (entry.kind !== 'directory') return true
    return this.#parts.store.children(entry.path).every((child) => confirmed.has(child.entry.path))
  }

  /** Somebody has to decide first whether what was in the directory is deleted (rule 19). */
  #isHeldBelow(directory: RelativePath): boolean {
    const { store, heldDeletes } = this.#parts
    return store.children(directory).some(({ entry }) => heldDeletes.has(entry.path))
  }

  /** Something that is in the directory by the index is to be taken from a peer again. */
  #isAwaitedBelow(directory: RelativePath): boolean {
    return this.#parts.store.children(directory).some(({ observation }) => observation === null)
  }

  /** It is on the disk no more, and is to be there again. */
  #takeBack({ entry }: IndexRecord): Put {
    this.#parts.inbox.add(entry.path)
    return { entry, observation: null, isAnnounced: false, seenMs: null }
  }

  #lookAgain(path: RelativePath, delayMs = 0): void {
    this.#parts.dirty.add(path, this.#parts.clock.monotonicMs(), { delayMs })
  }
}
