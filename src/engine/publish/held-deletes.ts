import { contentDigest, isLive } from '../../core/entry.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import { sameObservation } from '../../core/observation.ts'
import { ancestorsOf, type RelativePath } from '../../core/relative-path.ts'
import { deletesToHold } from '../../core/safety.ts'
import type { Census } from '../census.ts'
import type { Put } from '../ledger.ts'
import { Appearances } from './appearances.ts'
import type { HashedDifference } from './findings.ts'
import type { Clock, Store } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'

/** A record whose path is gone; `isSilent`: no event told of it, a full scan found it. */
export interface Gone {
  readonly record: IndexRecord
  readonly isSilent: boolean
}

/** Deletes that wait for `synd approve` or `synd reject` (rule 19). Their entries stay live in the index. */
export class HeldDeletes {
  readonly #store: Store
  readonly #census: Census
  readonly #problems: ProblemList
  readonly #clock: Clock
  readonly #share: number | null
  readonly #held: Set<RelativePath>
  readonly #appearances = new Appearances()

  constructor(parts: {
    store: Store
    census: Census
    problems: ProblemList
    clock: Clock
    /** SYND_DELETE_BRAKE as 0 to 1; null: off. */
    share: number | null
  }) {
    this.#store = parts.store
    this.#census = parts.census
    this.#problems = parts.problems
    this.#clock = parts.clock
    this.#share = parts.share
    this.#held = new Set(parts.store.heldDeletes())
    this.#report()
  }

  get size(): number {
    return this.#held.size
  }

  has(path: RelativePath): boolean {
    return this.#held.has(path)
  }

  all(): RelativePath[] {
    return [...this.#held]
  }

  /**
   * Of what is gone, what may be stamped now; the rest is held. `found` is what the same round found new or changed; to be called in every
   * round, for what was renamed. `unconfirmed` more were gone without an event, and are looked at once more: one loss, though it takes several
   * rounds.
   */
  sift(
    gone: readonly Gone[],
    found: readonly HashedDifference[],
    unconfirmed: number,
  ): IndexRecord[] {
    // Where nothing was known nothing was renamed; and the first look at a volume finds very much.
    if (this.#census.live > 0) this.#appearances.note(found, this.#clock.monotonicMs())
    const unheld = gone.filter(({ record }) => !this.#held.has(record.entry.path))
    const [replaced, fresh] = splitReplaced(unheld, found)
    if (fresh.length === 0) return replaced
    const waiting = new Set(this.#mustWait(fresh, found, unconfirmed).map(pathOf))
    // A directory stays as long as something in it does.
    const above = new Set([...this.#held, ...waiting].flatMap(ancestorsOf))
    for (const path of fresh.map(pathOf)) if (above.has(path)) waiting.add(path)
    if (waiting.size > 0) this.#hold([...waiting])
    const free = fresh.filter((one) => !waiting.has(pathOf(one))).map(({ record }) => record)
    return [...replaced, ...free]
  }

  /**
   * Of paths that are about to be committed those whose held delete is decided by it: something is there again, or somebody else deleted it. Another
   * version of what is gone decides nothing.
   */
  decidedBy(puts: readonly Put[]): RelativePath[] {
    const held = puts.filter(({ entry }) => this.#held.has(entry.path))
    return held.filter((put) => this.#isDecidedBy(put)).map(({ entry }) => entry.path)
  }

  /** What is there again is not held any more. */
  cancelFound(present: ReadonlySet<RelativePath>): void {
    if (this.#held.size > 0) this.release(this.all().filter((path) => present.has(path)))
  }

  release(paths: readonly RelativePath[]): void {
    if (paths.length === 0) return
    this.#store.commit({ heldDeletes: { removed: paths } })
    this.forget(paths)
  }

  /** Released in the index by somebody else's commit. */
  forget(paths: readonly RelativePath[]): void {
    for (const path of paths) this.#held.delete(path)
    this.#report()
  }

  #isDecidedBy({ entry, observation }: Put): boolean {
    if (!isLive(entry)) return true
    const before = this.#store.get(entry.path)?.observation ?? null
    return observation !== null && (before === null || !sameObservation(before, observation))
  }

  #hold(paths: readonly RelativePath[]): void {
    this.#store.commit({ heldDeletes: { added: paths } })
    for (const path of paths) this.#held.add(path)
    this.#report()
  }

  #mustWait(
    gone: readonly Gone[],
    found: readonly HashedDifference[],
    unconfirmed: number,
  ): readonly Gone[] {
    const names = new Set(found.map(({ path }) => path))
    const lost = this.#appearances.unaccounted(
      gone.map((one) => ({
        ...one,
        path: one.record.entry.path,
        digest: contentDigest(one.record.entry),
      })),
      (path) => names.has(path) || this.#store.get(path)?.entry.kind !== 'tombstone',
    )
    const goneSilently = lost.filter(({ isSilent }) => isSilent).length
    const lostFiles = lost.filter(({ record }) => record.entry.kind === 'file').length
    const heldFiles = [...this.#held].filter(
      (path) => this.#store.get(path)?.entry.kind === 'file',
    ).length
    const disappearance = {
      known: this.#census.live,
      knownFiles: this.#census.files,
      goneSilently: goneSilently === 0 ? 0 : goneSilently + unconfirmed + this.#held.size,
      goneFiles: lostFiles + heldFiles,
      newFiles: found.filter(
        ({ observation, record }) => observation.kind === 'file' && !isLive(record?.entry),
      ).length,
      isFullScan: goneSilently > 0,
    }
    switch (deletesToHold(disappearance, this.#share)) {
      case 'none':
        return []
      case 'silent':
        return lost.filter(({ isSilent }) => isSilent)
      case 'all':
        return lost
    }
  }

  #report(): void {
    if (this.#held.size === 0) {
      this.#problems.clear('deletes-held', null)
      return
    }
    const message =
      `${this.#held.size} entries disappeared at once and were not deleted elsewhere: ` +
      '`synd approve` deletes them everywhere, `synd reject` brings them back'
    this.#problems.set({ code: 'deletes-held', path: null, message }, this.#clock.nowMs())
  }
}

/** What was in a directory that something else took the place of did not disappear: that cannot be announced while this waits. */
function splitReplaced(
  gone: readonly Gone[],
  found: readonly HashedDifference[],
): [replaced: IndexRecord[], others: Gone[]] {
  const others = found.filter(({ observation }) => observation.kind !== 'directory')
  const taken = new Set(others.map(({ path }) => path))
  const isReplaced = (one: Gone): boolean => ancestorsOf(pathOf(one)).some((at) => taken.has(at))
  return [
    gone.filter(isReplaced).map(({ record }) => record),
    gone.filter((one) => !isReplaced(one)),
  ]
}

function pathOf({ record }: Gone): RelativePath {
  return record.entry.path
}
