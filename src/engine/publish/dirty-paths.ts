import { sameObservation, type Observation } from '../../core/observation.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import { Wake } from '../wake.ts'

/** After a version was published, the next of the same path waits this long, doubling while it goes on changing. */
const firstPauseMs = 50

/** A file that is written all the time is published this often (rule 15: settling ends after 10 s at the latest). */
const longestPauseMs = 10_000

/** A path that was quiet for this many pauses starts over. */
const coolAfterPauses = 4

/** What is to be looked at. */
export interface DirtyPath {
  readonly path: RelativePath
  /** Also list it and everything below, should it be a directory. */
  readonly isTree: boolean
  /** Look at what is directly in it too; what is new there is looked at with all below. */
  readonly isListed: boolean
  /** Hash even if the observation is the index's: it was written so recently that its times may not show it. */
  readonly mustHash: boolean
  /** An event told of it; it is not only looked at once more. */
  readonly isTold: boolean
}

/** How a path is to be looked at; nothing is asked for by default. */
type Look = Partial<Omit<DirtyPath, 'path'>>

interface Waiting {
  dueMs: number
  isTree: boolean
  isListed: boolean
  mustHash: boolean
  isTold: boolean
}

/**
 * Paths that may differ from the index, with the time when each is looked at. A lone change is due at once; a path that keeps changing is looked at less and
 * less often, every 10 s in the end.
 */
export class DirtyPaths {
  /** To be called by who added something, when it can be looked at. */
  readonly wake = new Wake()
  readonly #waiting = new Map<RelativePath, Waiting>()
  readonly #heat = new Map<RelativePath, { publishedMs: number; pauseMs: number }>()
  readonly #unquiet = new Map<
    RelativePath,
    { observation: Observation; seenMs: number; sinceMs: number }
  >()
  #isFullScanDue = false
  #isRootListDue = false

  get size(): number {
    return this.#waiting.size + (this.#isFullScanDue || this.#isRootListDue ? 1 : 0)
  }

  has(path: RelativePath): boolean {
    return this.#waiting.has(path)
  }

  add(path: RelativePath, nowMs: number, options: Look & { readonly delayMs?: number } = {}): void {
    const { isTree = false, isListed = false, mustHash = false, isTold = false } = options
    const { delayMs = 0 } = options
    const heat = this.#heat.get(path)
    const pausedUntilMs = heat === undefined ? nowMs : heat.publishedMs + heat.pauseMs
    const dueMs = Math.max(nowMs + delayMs, pausedUntilMs)
    const before = this.#waiting.get(path)
    if (before === undefined) {
      this.#waiting.set(path, { dueMs, isTree, isListed, mustHash, isTold })
      return
    }
    before.isTree ||= isTree
    before.isListed ||= isListed
    before.mustHash ||= mustHash
    before.isTold ||= isTold
    before.dueMs = Math.min(before.dueMs, dueMs)
  }

  addFullScan(): void {
    this.#isFullScanDue = true
  }

  addRootList(): void {
    this.#isRootListDue = true
  }

  /** Everything that is due, and no longer in here; in byte order. */
  takeDue(nowMs: number): { paths: DirtyPath[]; isFullScan: boolean; isRootList: boolean } {
    const paths: DirtyPath[] = []
    for (const [path, { dueMs, ...look }] of this.#waiting) {
      if (dueMs <= nowMs) paths.push({ path, ...look })
    }
    for (const { path } of paths) this.#waiting.delete(path)
    const isFullScan = this.#isFullScanDue
    const isRootList = this.#isRootListDue
    this.#isFullScanDue = false
    this.#isRootListDue = false
    paths.sort((a, b) => (a.path < b.path ? -1 : 1))
    return { paths, isFullScan, isRootList }
  }

  /** What was taken could not be dealt with: it is due again. */
  putBack(
    taken: {
      readonly paths: readonly DirtyPath[]
      readonly isFullScan: boolean
      readonly isRootList: boolean
    },
    nowMs: number,
  ): void {
    for (const { path, ...look } of taken.paths) this.add(path, nowMs, look)
    this.#isFullScanDue ||= taken.isFullScan
    this.#isRootListDue ||= taken.isRootList
  }

  /** When the next is due; null when nothing waits. */
  nextDueMs(): number | null {
    if (this.#isFullScanDue || this.#isRootListDue) return 0
    let next: number | null = null
    for (const { dueMs } of this.#waiting.values()) {
      if (next === null || dueMs < next) next = dueMs
    }
    return next
  }

  /** A new version of the path was published: the next one waits its pause. */
  published(path: RelativePath, nowMs: number): void {
    const heat = this.#heat.get(path)
    const isHot = heat !== undefined && nowMs - heat.publishedMs < heat.pauseMs * coolAfterPauses
    const pauseMs = isHot ? Math.min(heat.pauseMs * 2, longestPauseMs) : firstPauseMs
    this.#heat.set(path, { publishedMs: nowMs, pauseMs })
    // It changed again before it was published.
    const waiting = this.#waiting.get(path)
    if (waiting !== undefined) waiting.dueMs = Math.max(waiting.dueMs, nowMs + pauseMs)
    this.#unquiet.delete(path)
  }

  /**
   * For a file that must be quiet before it is published: true when it looked the same `quietMs` ago, or has been unquiet for 10 s.
   * Else it is remembered for the next look.
   */
  isQuiet(
    path: RelativePath,
    observation: Observation,
    times: { nowMs: number; quietMs: number },
  ): boolean {
    const { nowMs, quietMs } = times
    const before = this.#unquiet.get(path)
    const sinceMs = before?.sinceMs ?? nowMs
    const isSame = before !== undefined && sameObservation(before.observation, observation)
    const seenMs = isSame ? before.seenMs : nowMs
    if (isSame && nowMs - seenMs >= quietMs) {
      this.#unquiet.delete(path)
      return true
    }
    if (nowMs - sinceMs >= longestPauseMs) return true
    this.#unquiet.set(path, { observation, seenMs, sinceMs })
    this.add(path, nowMs, { delayMs: quietMs })
    return false
  }

  /** Forgets the heat of paths that have been quiet; called now and then. */
  cool(nowMs: number): void {
    for (const [path, { publishedMs, pauseMs }] of this.#heat) {
      if (nowMs - publishedMs > pauseMs * coolAfterPauses) this.#heat.delete(path)
    }
    for (const [path, { sinceMs }] of this.#unquiet) {
      if (nowMs - sinceMs > 2 * longestPauseMs) this.#unquiet.delete(path)
    }
  }
}
