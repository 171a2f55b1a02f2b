import type { RelativePath } from '../../core/relative-path.ts'

/** Rule 8. */
const windowMs = 10 * 60_000
const freeConflicts = 3
const firstDelayMs = 2_000
const longestDelayMs = 10 * 60_000

/** Slows down a path on which peers keep overwriting each other, so that it does not breed conflict copies without end. */
export class Contention {
  readonly #conflicts = new Map<RelativePath, number[]>()

  /** A conflict was resolved here. */
  note(path: RelativePath, nowMs: number): void {
    const recent = this.#recent(path, nowMs)
    this.#conflicts.set(path, [...recent, nowMs])
  }

  /** How long to wait before the next conflict on the path is resolved; 0: not at all. */
  delayMs(path: RelativePath, nowMs: number): number {
    const recent = this.#recent(path, nowMs)
    const last = recent.at(-1)
    if (recent.length < freeConflicts || last === undefined) return 0
    const pauseMs = Math.min(longestDelayMs, firstDelayMs * 2 ** (recent.length - freeConflicts))
    return Math.max(0, last + pauseMs - nowMs)
  }

  #recent(path: RelativePath, nowMs: number): number[] {
    const recent = (this.#conflicts.get(path) ?? []).filter((atMs) => nowMs - atMs < windowMs)
    if (recent.length === 0) this.#conflicts.delete(path)
    return recent
  }
}
