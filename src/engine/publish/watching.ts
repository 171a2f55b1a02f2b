import type { DirtyPaths } from './dirty-paths.ts'
import type { Chance, Clock, Observer, Watcher, WatchHint } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'
import type { Publisher } from './publisher.ts'

/** Turns hints of the watcher, and the passing of time, into dirty paths. Events are hints: what happened is found by looking. */
export class Watching {
  readonly #watcher: Watcher
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #observer: Observer
  readonly #dirty: DirtyPaths
  readonly #problems: ProblemList
  readonly #publisher: Publisher
  readonly #scanIntervalMs: number

  constructor(parts: {
    watcher: Watcher
    clock: Clock
    chance: Chance
    observer: Observer
    dirty: DirtyPaths
    problems: ProblemList
    publisher: Publisher
    scanIntervalMs: number
  }) {
    this.#watcher = parts.watcher
    this.#clock = parts.clock
    this.#chance = parts.chance
    this.#observer = parts.observer
    this.#dirty = parts.dirty
    this.#problems = parts.problems
    this.#publisher = parts.publisher
    this.#scanIntervalMs = parts.scanIntervalMs
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#takeHints(signal), this.#scanNowAndThen(signal)])
  }

  async #takeHints(signal: AbortSignal): Promise<void> {
    for await (const hint of this.#watcher.watch(signal)) this.#take(hint)
  }

  #take(hint: WatchHint): void {
    const nowMs = this.#clock.monotonicMs()
    switch (hint.kind) {
      case 'dirty':
        this.#observer.watchEvents(hint.paths.length)
        for (const path of hint.paths) this.#dirty.add(path, nowMs, { isTold: true })
        break
      case 'list':
        if (hint.directory === null) this.#dirty.addRootList()
        else this.#dirty.add(hint.directory, nowMs, { isListed: true })
        break
      case 'scan':
        this.#dirty.addFullScan()
        break
      case 'overflow':
        this.#observer.watchOverflowed()
        this.#dirty.addFullScan()
        break
      case 'degraded':
        this.#observer.watchDegraded(hint.reason)
        this.#reportDegraded(hint.reason)
        break
    }
    this.#publisher.wake.call()
  }

  #reportDegraded(reason: string | null): void {
    if (reason === null) {
      this.#problems.clear('watch-degraded', null)
      return
    }
    const message = `not all changes are told by the system, they are found by looking: ${reason}`
    this.#problems.set({ code: 'watch-degraded', path: null, message }, this.#clock.nowMs())
  }

  /** A full scan every interval, give or take a quarter so that peers do not scan in step. */
  async #scanNowAndThen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(this.#scanIntervalMs * (0.75 + 0.5 * this.#chance.fraction()), signal)
      if (signal.aborted) return
      this.#dirty.addFullScan()
      this.#publisher.wake.call()
    }
  }
}
