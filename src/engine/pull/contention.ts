import type { RelativePath } from '../../core/relative-path.ts'

/** Rule 8. */
const windowMs = 10 * 60_000
const freeConflicts = 3
const firstDelayMs = 2_000
const longestDelayMs = 10 * 60_000

interface Conflicts {
  /** The last ones, `freeConflicts` at most, oldest first. */
  readonly atMs: readonly number[]
  readonly lastMs: number
  /** How long the next has to wait since the last; 0: not at all. */
  readonly pauseMs: number
}

const none: Conflicts = { atMs: [], lastMs: -Infinity, pauseMs: 0 }

/** Slows down a path on which peers keep overwriting each other, so that it does not breed conflict copies without end. */
export class Contention {
  /** By path, in order of the last conflict. */
  readonly #conflicts = new Map<RelativePath, Conflicts>()

  /** How many paths are remembered. */
  get size(): number {
    return this.#conflicts.size
  }

  /** A conflict was resolved here. */
  note(path: RelativePath, nowMs: number): void {
    this.#forgetQuiet(nowMs)
    const before = this.#of(path, nowMs)
    const recent = before.atMs.filter((atMs) => nowMs - atMs < windowMs)
    const atMs = [...recent, nowMs].slice(-freeConflicts)
    const firstMs = atMs.length < freeConflicts ? 0 : firstDelayMs
    const pauseMs = before.pauseMs === 0 ? firstMs : Math.min(before.pauseMs * 2, longestDelayMs)
    this.#conflicts.delete(path)
    this.#conflicts.set(path, { atMs, lastMs: nowMs, pauseMs })
  }

  /** How long to wait before the next conflict on the path is resolved; 0: not at all. */
  delayMs(path: RelativePath, nowMs: number): number {
    const { lastMs, pauseMs } = this.#of(path, nowMs)
    return Math.max(0, lastMs + pauseMs - nowMs)
  }

  #of(path: RelativePath, nowMs: number): Conflicts {
    const conflicts = this.#conflicts.get(path)
    return conflicts === undefined || isQuiet(conflicts, nowMs) ? none : conflicts
  }

  #forgetQuiet(nowMs: number): void {
    for (const [path, conflicts] of this.#conflicts) {
      if (!isQuiet(conflicts, nowMs)) return
      this.#conflicts.delete(path)
    }
  }
}

/** Nothing for ten minutes after the next would have been resolved: what comes now is another quarrel. */
function isQuiet({ lastMs, pauseMs }: Conflicts, nowMs: number): boolean {
  return nowMs - lastMs >= pauseMs + windowMs
}
