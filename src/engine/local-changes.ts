import { canHaveCopy, type Loser } from '../core/conflict.ts'
import {
  contentDigest,
  isLive,
  sameContent,
  type Entry,
  type LiveEntry,
  type Tombstone,
} from '../core/entry.ts'
import type { IndexRecord } from '../core/index-record.ts'
import type { Observation } from '../core/observation.ts'
import type { RelativePath } from '../core/relative-path.ts'
import type { Census } from './census.ts'
import type { Clock, Store } from './ports.ts'
import type { ProblemList } from './problem-list.ts'

/** As many are listed by name; all are counted. */
const listedAtMost = 1_000

/** What somebody made of a path: an entry without a version, as nobody is told of it. */
interface Shown {
  readonly entry: LiveEntry
  readonly observation: Observation
}

/**
 * What was changed on a receive-only peer (rules M5 and M6): paths that the disk shows otherwise than the index. Nothing of it is stored: the
 * first scan finds the same again. In other modes there is none.
 */
export class LocalChanges {
  readonly #store: Store
  readonly #census: Census
  readonly #problems: ProblemList
  readonly #clock: Clock
  /** Null: it was deleted here. */
  readonly #changes = new Map<RelativePath, Shown | null>()
  readonly #listed = new Set<RelativePath>()
  readonly #takenBack = new Set<RelativePath>()
  #digest: { readonly of: string; readonly is: string } | null = null

  constructor(parts: { store: Store; census: Census; problems: ProblemList; clock: Clock }) {
    this.#store = parts.store
    this.#census = parts.census
    this.#problems = parts.problems
    this.#clock = parts.clock
  }

  get size(): number {
    return this.#changes.size
  }

  has(path: RelativePath): boolean {
    return this.#changes.has(path)
  }

  paths(): RelativePath[] {
    return [...this.#changes.keys()]
  }

  /** Nothing is there, where the index has something. */
  isGone(path: RelativePath): boolean {
    return this.#changes.get(path) === null
  }

  /** What somebody put there; null: nothing, or nobody did. */
  madeAt(path: RelativePath): Shown | null {
    return this.#changes.get(path) ?? null
  }

  /** `made` null: it was deleted. */
  note(path: RelativePath, made: Shown | null): void {
    const change = made === null ? 'deleted' : this.#isKnown(path) ? 'changed' : 'made'
    this.#changes.set(path, made)
    this.#digest = null
    if (this.#listed.size >= listedAtMost && !this.#listed.has(path)) return
    this.#listed.add(path)
    const message = `${change} here, and this peer is receive-only: the next version from a peer takes its place`
    this.#problems.set({ code: 'local-change', path, message }, this.#clock.nowMs())
  }

  /** The disk is as the index says. */
  forget(path: RelativePath): void {
    if (!this.#changes.delete(path)) return
    this.#digest = null
    this.#takenBack.delete(path)
    this.#listed.delete(path)
    this.#problems.clear('local-change', path)
  }

  /** The record of what the disk shows of a path whose index record is `record`. */
  shownAt(path: RelativePath, record: IndexRecord | null): IndexRecord | null {
    const shown = this.#changes.get(path)
    if (shown === undefined) return record
    return shown === null ? null : { ...shown, sequence: 0 }
  }

  /** What must have a copy before `entry` takes its place (rule M6); null: nothing, or nothing of what was made here. */
  loserTo(entry: Entry, record: IndexRecord | null): Loser | null {
    const made = this.madeAt(entry.path)?.entry
    if (made === undefined || !canHaveCopy(made) || sameContent(made, entry)) return null
    const isTheDeletedOne = record === null && isRemovedBy(entry, made)
    return isTheDeletedOne || this.isSparedBy(entry, record) ? null : made
  }

  /** A delete of what this peer never had takes nothing from who made something of that name since. */
  isSparedBy(entry: Entry, record: IndexRecord | null): boolean {
    const made = this.madeAt(entry.path)?.entry
    if (entry.kind !== 'tombstone' || made === undefined || isLive(record?.entry)) return false
    return record !== null || !isRemovedBy(entry, made)
  }

  /** What was received is to be there again; false where nothing was, or nothing is to be taken back. */
  takeBack(path: RelativePath): boolean {
    if (!this.has(path) || !this.#isKnown(path)) return false
    this.#takenBack.add(path)
    return true
  }

  isTakenBack(path: RelativePath): boolean {
    return this.#takenBack.has(path)
  }

  /** Nobody has what was received: the disk stands as it is. */
  leave(path: RelativePath): void {
    this.#takenBack.delete(path)
  }

  /** The tree digest of what the disk shows. */
  get treeDigest(): string {
    const of = this.#census.treeDigest
    if (this.size === 0) return of
    if (this.#digest?.of !== of) {
      const pairs = [...this.#changes].map(([path, shown]) => ({
        known: this.#store.get(path)?.entry ?? null,
        shown: shown?.entry ?? null,
      }))
      this.#digest = { of, is: this.#census.treeDigestWith(pairs) }
    }
    return this.#digest.is
  }

  #isKnown(path: RelativePath): boolean {
    return isLive(this.#store.get(path)?.entry)
  }
}

/** It is the very file that was deleted (rule 9). */
function isRemovedBy(entry: Entry, made: LiveEntry): boolean {
  return entry.kind === 'tombstone' && removes(entry, made)
}

function removes({ removedKind, removedDigest }: Tombstone, made: LiveEntry): boolean {
  return removedKind === made.kind && removedDigest === contentDigest(made)
}
