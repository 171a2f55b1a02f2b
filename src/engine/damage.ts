import { isLive } from '../core/entry.ts'
import type { IndexRecord } from '../core/index-record.ts'
import type { Observation } from '../core/observation.ts'
import type { Sequence } from '../core/protocol.ts'
import type { RelativePath } from '../core/relative-path.ts'

/** What a kernel had not written back when the power went is younger than this; with a wide margin. */
const unwrittenNs = 10n * 60n * 1_000_000_000n

/** And is among so many entries that changed last, should clocks have jumped. */
const unwrittenEntries = 1_000

/**
 * Rule 23: after a power loss (an unclean end, and another boot since) a file may be older than the index says, hold zeros, or be gone,
 * without anybody having changed it. That is damage: it is pulled again and never announced. Whoever writes a file gives it a new mtime and
 * ctime; what the power loss left has none that the index did not know.
 *
 * The same goes for a volume that was put back to a while ago while the index, which is elsewhere, was not (rule 20).
 *
 * Nothing of it is stored: until all of it is repaired the index keeps the boot id of the life that ended badly, so the next start finds
 * the same again.
 */
export class Damage {
  #suspected: 'power-loss' | 'rollback' | null = null
  #hashFromNs = 0n
  #hashAbove: Sequence = 0
  /** What was changed before may be a version whose commit is lost; null: no commit is. */
  #recordedFromNs: bigint | null = null
  /** Damaged paths, each with what is on the disk in its place. */
  readonly #found = new Map<RelativePath, Observation | null>()
  /** Nobody has it: what is on the disk counts, as what it is. */
  readonly #accepted = new Set<RelativePath>()

  /** The life before ended uncleanly and the index is not on the volume's disk, which may have been put back to a while ago. */
  suspectRollback(): void {
    this.#suspected = 'rollback'
  }

  /**
   * The life before ended by a power loss; `records` is the whole index. `recordedFromMs`: now, where the index has lost commits (durability
   * none); null: it has not.
   */
  suspectPowerLoss(records: Iterable<IndexRecord>, recordedFromMs: number | null): void {
    let newestNs = 0n
    let newest: Sequence = 0
    for (const { observation, sequence } of records) {
      newest = Math.max(newest, sequence)
      if (observation !== null && observation.ctimeNs > newestNs) newestNs = observation.ctimeNs
    }
    this.#suspected = 'power-loss'
    this.#hashFromNs = newestNs - unwrittenNs
    this.#hashAbove = newest - unwrittenEntries
    this.#recordedFromNs =
      recordedFromMs === null ? null : BigInt(Math.floor(recordedFromMs)) * 1_000_000n
  }

  get isRollbackSuspected(): boolean {
    return this.#suspected === 'rollback'
  }

  get size(): number {
    return this.#found.size
  }

  /** The disk holds something else than the index says, and that is not to be announced. */
  has(path: RelativePath): boolean {
    return this.#found.has(path)
  }

  /** A power loss or a disk that was put back may have made what is found now. */
  get isSuspecting(): boolean {
    return this.#suspected !== null
  }

  /** It may be, or be left of, a version that was applied or announced, and that the index has lost: no change of what the index has. */
  isUnrecorded({ ctimeNs }: Observation): boolean {
    return this.#recordedFromNs !== null && ctimeNs < this.#recordedFromNs
  }

  /** What is on the disk at a damaged path; null: nothing. */
  seenAt(path: RelativePath): Observation | null {
    return this.#found.get(path) ?? null
  }

  /** Its times may be right and its bytes not: it was written shortly before the end. */
  mustHash({ observation, sequence }: IndexRecord): boolean {
    if (this.#suspected !== 'power-loss' || observation === null) return false
    return observation.ctimeNs >= this.#hashFromNs || sequence > this.#hashAbove
  }

  /**
   * Whether what was found in place of the record (null: nothing) is damage; it is noted then. `place`: of nothing, the directory in which it
   * is missing.
   */
  note(
    { entry, observation }: IndexRecord,
    seen: Observation | null,
    place: Observation | null,
  ): boolean {
    const { path } = entry
    const isDamage =
      isLive(entry) &&
      observation !== null &&
      !this.#accepted.has(path) &&
      this.#isNobodys(observation, seen ?? place, { isThere: seen !== null })
    if (isDamage) this.#found.set(path, seen)
    else this.#found.delete(path)
    return isDamage
  }

  /** `seen`: what is there, or else the directory in which nothing is. */
  #isNobodys(
    known: Observation,
    seen: Observation | null,
    { isThere }: { isThere: boolean },
  ): boolean {
    if (this.#suspected === null) return false
    if (this.#suspected === 'power-loss')
      return !isThere || seen === null || isUntouched(known, seen)
    // Whoever writes a file, or deletes one, moves the ctime of the file, or of its directory. This is from before the index saw what it saw.
    return seen !== null && seen.ctimeNs < known.ctimeNs
  }

  /** The path is as the index says again, or somebody changed it. */
  repaired(path: RelativePath): void {
    this.#found.delete(path)
  }

  /** Nobody has what the index says: what is on the disk stands. */
  accept(path: RelativePath): void {
    if (this.#found.delete(path)) this.#accepted.add(path)
  }

  /** What is on the disk stands, and is to be stamped: as found, not as a change of what was lost. */
  isAccepted(path: RelativePath): boolean {
    return this.#accepted.has(path)
  }

  /** The index says what is on the disk. */
  stamped(path: RelativePath): void {
    this.#found.delete(path)
    this.#accepted.delete(path)
  }

  /** To be called when everything was looked at: true when all of it is dealt with, and what follows are changes like any other. */
  end(): boolean {
    if (this.#found.size > 0) return false
    this.#suspected = null
    this.#recordedFromNs = null
    this.#accepted.clear()
    return true
  }
}

/**
 * Either alone: the sweep of staging moves the ctime of a file that has kept a second name there, and the mtime may be of any time between that
 * of its content and that when it got its name.
 */
function isUntouched(known: Observation, seen: Observation): boolean {
  return seen.ctimeNs <= known.ctimeNs || seen.mtimeNs <= known.ctimeNs
}
