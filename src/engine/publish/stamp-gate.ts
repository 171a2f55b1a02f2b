import type { Clock } from '../ports.ts'
import { Wake } from '../wake.ts'

/**
 * Local changes are not stamped before every configured peer said Hello, or this (rule 1): an index that was cloned or restored is told so
 * before it issues counters that another has issued.
 */
const stampAfterMs = 10_000

/** Holds back the stamping of local changes at the start. */
export class StampGate {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #opened = new Wake()
  #isOpen = false

  constructor({ clock, signal }: { clock: Clock; signal: AbortSignal }) {
    this.#clock = clock
    this.#signal = signal
  }

  open(): void {
    this.#isOpen = true
    this.#opened.call()
  }

  /** Resolves when everybody said Hello, after 10 s, or when the signal aborts. */
  async passed(): Promise<void> {
    if (this.#isOpen) return
    await this.#opened.wait(this.#clock, stampAfterMs, this.#signal)
    this.#isOpen = true
  }
}
