import type { Clock } from './ports.ts'

/** Somebody may change files all the time: so long after the first scan nobody waits any more. */
const longestLookMs = 10_000

/** What the publisher says of itself. */
interface Looking {
  readonly isFirstScanCommitted: boolean
  readonly isBusy: boolean
}

/** What a start finds is in the index: the first scan, and whatever it left for a second look. */
export class FirstLook {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #done = Promise.withResolvers<void>()
  #isDone = false
  #scannedMs: number | null = null

  constructor({ clock, signal }: { clock: Clock; signal: AbortSignal }) {
    this.#clock = clock
    this.#signal = signal
    signal.addEventListener('abort', () => this.#done.resolve())
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** To be called whenever something happened. */
  note({ isFirstScanCommitted, isBusy }: Looking): void {
    if (this.#isDone || !isFirstScanCommitted) return
    const nowMs = this.#clock.monotonicMs()
    this.#scannedMs ??= nowMs
    if (isBusy && nowMs - this.#scannedMs < longestLookMs) return
    this.#isDone = true
    this.#done.resolve()
  }

  /** Resolves when it is done; false: the engine stops before. */
  async done(): Promise<boolean> {
    await this.#done.promise
    return this.#isDone && !this.#signal.aborted
  }
}
