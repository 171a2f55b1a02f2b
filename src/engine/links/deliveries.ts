import type { OutcomeRange, Sequence } from '../../core/protocol.ts'

interface Pending {
  /** When the change was seen here; null for what was relayed, or was in the index before this start. */
  readonly seenMs: number | null
  /** When it was committed. */
  readonly sinceMs: number
}

/** What of our index one peer has not acknowledged yet (rule 17). */
export class Delivery {
  readonly #pending = new Map<Sequence, Pending>()
  readonly #failed = new Set<Sequence>()
  /** Acknowledged as not wanted. */
  readonly #unwanted = new Set<Sequence>()
  /** Not announced, for it was announced to us. */
  readonly #skipped = new Set<Sequence>()
  readonly #toldAfter: Sequence
  readonly #onApplied: (seenMs: number) => void
  #lastAppliedMs: number | null = null

  /**
   * `toldAfter`: what was announced up to here was announced on other links. `onApplied` is told when each change made here was seen, once it
   * is applied there.
   */
  constructor(parts: { toldAfter?: Sequence; onApplied: (seenMs: number) => void }) {
    this.#toldAfter = parts.toldAfter ?? 0
    this.#onApplied = parts.onApplied
  }

  get pending(): number {
    return this.#pending.size
  }

  get failed(): number {
    return this.#failed.size
  }

  /** It was announced on this link, or will be, and the peer has not said that it holds it. */
  isOpen(sequence: Sequence): boolean {
    return this.#isToldHere(sequence) && !this.hasApplied(sequence)
  }

  /** The peer said on this link that it holds what was announced as that, or something newer. */
  hasApplied(sequence: Sequence): boolean {
    const isOpen = this.#pending.has(sequence) || this.#unwanted.has(sequence)
    return this.#isToldHere(sequence) && !isOpen
  }

  /** The peer knows it already: it announced the same. */
  skip(sequence: Sequence): void {
    this.drop(sequence)
    this.#skipped.add(sequence)
  }

  /** When the oldest unacknowledged change was committed; null for none. */
  get oldestPendingMs(): number | null {
    let oldest: number | null = null
    for (const { sinceMs } of this.#pending.values()) {
      if (oldest === null || sinceMs < oldest) oldest = sinceMs
    }
    return oldest
  }

  /** When this peer last acknowledged that it applied something. */
  get lastAppliedMs(): number | null {
    return this.#lastAppliedMs
  }

  add(sequence: Sequence, pending: Pending): void {
    this.#pending.set(sequence, pending)
  }

  /** The path of this sequence has moved to a new one. */
  drop(sequence: Sequence): void {
    this.#pending.delete(sequence)
    this.#failed.delete(sequence)
    this.#unwanted.delete(sequence)
    this.#skipped.delete(sequence)
  }

  acknowledge(range: OutcomeRange, nowMs: number): void {
    for (const sequence of this.#sequencesIn(range)) {
      const pending = this.#pending.get(sequence)
      if (pending === undefined) continue
      if (range.outcome.kind === 'failed' || range.outcome.kind === 'refused') {
        this.#failed.add(sequence)
        continue
      }
      this.drop(sequence)
      if (range.outcome.kind === 'not-wanted') this.#unwanted.add(sequence)
      if (range.outcome.kind === 'applied') {
        this.#lastAppliedMs = nowMs
        if (pending.seenMs !== null) this.#onApplied(pending.seenMs)
      }
    }
  }

  #isToldHere(sequence: Sequence): boolean {
    return sequence > this.#toldAfter && !this.#skipped.has(sequence)
  }

  #sequencesIn({ from, to }: OutcomeRange): Sequence[] {
    if (to - from >= this.#pending.size) {
      return [...this.#pending.keys()].filter((sequence) => sequence >= from && sequence <= to)
    }
    return Array.from({ length: to - from + 1 }, (_, index) => from + index)
  }
}
