import { isUnalteredCopy, originalOf } from '../../core/conflict.ts'
import type { Interval } from '../../core/interval-set.ts'
import type {
  Outcome,
  OutcomeRange,
  RefusedEntry,
  Sequence,
  SequencedEntry,
} from '../../core/protocol.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import { Refusals } from './refusals.ts'

/** What became of one peer's announcements here, and what of it was not told yet (rule 17). */
export class Receipts {
  /** Announced, recorded, not applied: path → sequence. */
  readonly #open = new Map<RelativePath, Sequence>()
  readonly #openSequences = new Set<Sequence>()
  /** Of the open ones those that our mode does not take (rule M1), by path. */
  readonly #declined = new Map<RelativePath, Sequence>()
  /** Open conflict copies, by what they are copies of. */
  readonly #openCopies = new Map<RelativePath, Set<RelativePath>>()
  /** Open ones that the peer itself has no longer, by path. */
  readonly #superseded = new Map<RelativePath, Sequence>()
  readonly #untold = new Map<Sequence, Outcome>()
  readonly #refusals = new Refusals()
  #recordedUpTo: Sequence
  #hasHeard = false
  #toldUpTo: Sequence = -1
  /** The peer's last sequence as it last said. */
  head: Sequence = 0

  constructor({ recordedUpTo }: { recordedUpTo: Sequence }) {
    this.#recordedUpTo = recordedUpTo
  }

  get recordedUpTo(): Sequence {
    return this.#recordedUpTo
  }

  /** The peer has spoken since the start, and everything that it had when it last spoke is recorded. */
  get isComplete(): boolean {
    return this.#hasHeard && this.#recordedUpTo >= this.head
  }

  /** Not applied, and not declined. */
  get open(): number {
    return this.#open.size - this.#declined.size
  }

  get declined(): number {
    return this.#declined.size
  }

  declinedPaths(): Iterable<RelativePath> {
    return this.#declined.keys()
  }

  sequenceOf(path: RelativePath): Sequence | null {
    return this.#open.get(path) ?? null
  }

  /** Rule 4: a conflict copy of `path`, announced before `sequence` as it was made, that is not here yet. */
  openCopyOf(path: RelativePath, sequence: Sequence): RelativePath | null {
    for (const copy of this.#openCopies.get(originalOf(path)) ?? []) {
      if (copy !== path && (this.#open.get(copy) ?? sequence) < sequence) return copy
    }
    return null
  }

  openPaths(): Iterable<RelativePath> {
    return this.#open.keys()
  }

  recorded(entries: readonly SequencedEntry[], upTo: Sequence): void {
    for (const entry of entries) this.markOpen(entry)
    this.#recordedUpTo = Math.max(this.#recordedUpTo, upTo)
    this.#hasHeard = true
  }

  /** Entries that were malformed: recorded nowhere, told as refused (rule 17). */
  refuse(entries: readonly RefusedEntry[]): void {
    for (const { sequence, code } of entries) {
      this.#refusals.add({ from: sequence, to: sequence }, code)
      this.#toldUpTo = Math.min(this.#toldUpTo, sequence - 1)
    }
  }

  /** Announced, and not applied yet. */
  markOpen({ entry, sequence }: SequencedEntry): void {
    const { path } = entry
    const before = this.#open.get(path)
    if (before !== undefined) {
      this.#openSequences.delete(before)
      this.#untold.delete(before)
      this.#declined.delete(path)
    }
    this.#open.set(path, sequence)
    this.#openSequences.add(sequence)
    // What somebody wrote into a copy is an edit like any other: nothing waits for that.
    if (!isUnalteredCopy(entry)) return this.#closeCopy(path)
    const copies = this.#openCopies.get(originalOf(path)) ?? new Set()
    this.#openCopies.set(originalOf(path), copies.add(path))
  }

  /** The outcome for a path; `applied` and `not-wanted` close it, a failure leaves it open and is told once. */
  close(path: RelativePath, outcome: Outcome): void {
    const sequence = this.#open.get(path)
    if (sequence === undefined) return
    this.#untold.set(sequence, outcome)
    if (outcome.kind === 'failed' || outcome.kind === 'refused') return
    this.#open.delete(path)
    this.#openSequences.delete(sequence)
    this.#declined.delete(path)
    this.#superseded.delete(path)
    this.#closeCopy(path)
  }

  /** The peer was asked for it, and holds something else by now. */
  supersede(path: RelativePath): void {
    const sequence = this.#open.get(path)
    if (sequence !== undefined) this.#superseded.set(path, sequence)
  }

  /** The peer holds something else, and had told everything that it was to tell: what we know of it is old (rule 16). */
  isSuperseded(path: RelativePath, sequence: Sequence): boolean {
    return this.isComplete && this.#superseded.get(path) === sequence
  }

  /** It is recorded and not taken: told as `not-wanted` on every link, until it is closed. */
  decline(path: RelativePath): void {
    const sequence = this.#open.get(path)
    if (sequence === undefined || this.#declined.has(path)) return
    this.#declined.set(path, sequence)
    this.#untold.set(sequence, { kind: 'not-wanted' })
  }

  /** The link was opened anew: everything is to be told again. */
  startOver(): void {
    this.#toldUpTo = -1
    this.#untold.clear()
    for (const sequence of this.#declined.values())
      this.#untold.set(sequence, { kind: 'not-wanted' })
  }

  /** What is to be told now, or null for nothing. Sequences between outcomes that are not open were superseded: told as applied. */
  take(): { recordedUpTo: Sequence; ranges: OutcomeRange[] } | null {
    const isNews = this.#toldUpTo < this.#recordedUpTo || this.#untold.size > 0
    if (!isNews) return null
    const ranges = this.#ranges()
    this.#toldUpTo = this.#recordedUpTo
    this.#untold.clear()
    return { recordedUpTo: this.#recordedUpTo, ranges }
  }

  #closeCopy(path: RelativePath): void {
    const copies = this.#openCopies.get(originalOf(path))
    copies?.delete(path)
    if (copies?.size === 0) this.#openCopies.delete(originalOf(path))
  }

  /** Contiguous ranges: between what is open or refused everything up to `recordedUpTo` is done. */
  #ranges(): OutcomeRange[] {
    const lowest = Math.max(1, Math.min(this.#toldUpTo + 1, this.#lowestUntold()))
    const ranges = this.#refusals.from(lowest)
    const others: Interval[] = [...ranges]
    for (const sequence of this.#openSequences)
      if (sequence >= lowest) others.push({ from: sequence, to: sequence })
    others.sort((a, b) => a.from - b.from)
    for (const [sequence, outcome] of this.#untold) {
      if (outcome.kind !== 'applied') ranges.push({ from: sequence, to: sequence, outcome })
    }
    let next = lowest
    for (const { from, to } of [...others, { from: this.#recordedUpTo + 1, to: 0 }]) {
      if (from > next) ranges.push({ from: next, to: from - 1, outcome: { kind: 'applied' } })
      next = Math.max(next, to + 1)
    }
    return ranges
  }

  #lowestUntold(): Sequence {
    let lowest = Number.MAX_SAFE_INTEGER
    for (const sequence of this.#untold.keys()) lowest = Math.min(lowest, sequence)
    return lowest
  }
}
