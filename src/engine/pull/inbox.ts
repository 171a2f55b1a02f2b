import { parentOf, type RelativePath } from '../../core/relative-path.ts'
import { backoffMs } from '../backoff.ts'
import type { PeerId } from '../../core/peer-id.ts'
import type { Chance, Clock } from '../ports.ts'
import { Wake } from '../wake.ts'

/** A path that could not be decided now, and nobody announced anything since, is decided again after this. */
const parkedMs = 5_000

/** What takes long to decide, such as a directory of 100,000 files that go, is not decided all the time. */
const parkedPerDecision = 20

const firstRetryMs = 500
const lastRetryMs = 60_000

/**
 * Paths whose announced versions are to be decided. Coalesces: however often a path is announced it is decided once, on the latest. A path in the
 * works is not given out again until it is done. Announcers take turns: who tells of a million paths delays its own only.
 */
export class Inbox {
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #ready = new Set<RelativePath>()
  /** What is ready, by who announced it; null: nobody in particular. Some of it may have been taken meanwhile in another's turn. */
  readonly #turns = new Map<PeerId | null, Set<RelativePath>>()
  readonly #later = new Map<RelativePath, number>()
  /** Parked until the key, or something directly below it, is committed. */
  readonly #parked = new Map<RelativePath, Set<RelativePath>>()
  readonly #working = new Set<RelativePath>()
  readonly #again = new Set<RelativePath>()
  readonly #attempts = new Map<RelativePath, number>()
  readonly wake = new Wake()

  constructor({ clock, chance }: { clock: Clock; chance: Chance }) {
    this.#clock = clock
    this.#chance = chance
  }

  /** Paths that wait for nothing but their turn, or are in the works. */
  get busy(): number {
    return this.#ready.size + this.#working.size
  }

  /** Paths that wait for something: another path, a source, a while. */
  get waiting(): number {
    return this.#later.size
  }

  /** When the path failed before, how often in a row. */
  attemptsOf(path: RelativePath): number {
    return this.#attempts.get(path) ?? 0
  }

  /** `announcer`: in whose turn; null: in that of nobody in particular. */
  add(path: RelativePath, announcer: PeerId | null = null): void {
    this.#later.delete(path)
    if (this.#working.has(path)) this.#again.add(path)
    else this.#makeReady(path, announcer)
    this.wake.call()
  }

  /** Takes up to `limit` paths into the works, in byte order. */
  take(limit: number): RelativePath[] {
    const nowMs = this.#clock.monotonicMs()
    for (const [path, dueMs] of this.#later) {
      if (dueMs > nowMs) continue
      this.#later.delete(path)
      this.#makeReady(path, null)
    }
    const taken: RelativePath[] = []
    while (taken.length < limit && this.#ready.size > 0) {
      for (const turn of this.#turns.values()) {
        const path = taken.length < limit ? this.#next(turn) : null
        if (path !== null) taken.push(path)
      }
    }
    if (this.#ready.size === 0) this.#turns.clear()
    return taken.sort()
  }

  /** Milliseconds until something in `later` is due; null for nothing. */
  nextDelayMs(): number | null {
    if (this.#ready.size > 0) return 0
    let next: number | null = null
    for (const dueMs of this.#later.values()) {
      if (next === null || dueMs < next) next = dueMs
    }
    return next === null ? null : Math.max(0, next - this.#clock.monotonicMs())
  }

  /** Decided for good, until it is announced or committed again. */
  done(path: RelativePath): void {
    this.#attempts.delete(path)
    this.#release(path)
  }

  /** Not now: when `on` (or a child of it) is committed, when it is announced again, or after a while. `tookMs` is how long it took to find that. */
  park(path: RelativePath, on: RelativePath | null, { tookMs = 0 } = {}): void {
    if (on !== null) {
      const parked = this.#parked.get(on) ?? new Set()
      this.#parked.set(on, parked.add(path))
    }
    this.postpone(path, Math.max(parkedMs, tookMs * parkedPerDecision))
  }

  /** Decided again after `delayMs`. */
  postpone(path: RelativePath, delayMs: number): void {
    if (!this.#release(path)) this.#later.set(path, this.#clock.monotonicMs() + delayMs)
    this.wake.call()
  }

  /** Failed: again after a delay that doubles with every failure in a row. */
  retry(path: RelativePath): void {
    const attempt = this.attemptsOf(path)
    this.#attempts.set(path, attempt + 1)
    this.postpone(
      path,
      backoffMs(attempt, { firstMs: firstRetryMs, lastMs: lastRetryMs, chance: this.#chance }),
    )
  }

  /** Whatever waits on this path, or on its directory, is decided again. */
  committed(path: RelativePath): void {
    if (this.#parked.size === 0) return
    this.#unpark(path)
    const parent = parentOf(path)
    if (parent !== null) this.#unpark(parent)
  }

  /** Everything that waits is decided again: a peer came, or has told all it had. */
  hurry(): void {
    for (const path of this.#later.keys()) this.#makeReady(path, null)
    this.#later.clear()
    this.#parked.clear()
    this.wake.call()
  }

  #unpark(on: RelativePath): void {
    for (const path of this.#parked.get(on) ?? []) this.add(path)
    this.#parked.delete(on)
  }

  /** Out of the works; true when it was added meanwhile and is ready again. */
  #release(path: RelativePath): boolean {
    this.#working.delete(path)
    if (!this.#again.delete(path)) return false
    this.#makeReady(path, null)
    this.wake.call()
    return true
  }

  #makeReady(path: RelativePath, announcer: PeerId | null): void {
    this.#ready.add(path)
    const turn = this.#turns.get(announcer) ?? new Set()
    this.#turns.set(announcer, turn.add(path))
  }

  /** Takes the first that is still ready into the works; null: nothing is left in this turn. */
  #next(turn: Set<RelativePath>): RelativePath | null {
    for (const path of turn) {
      turn.delete(path)
      if (!this.#ready.delete(path)) continue
      this.#working.add(path)
      return path
    }
    return null
  }
}
