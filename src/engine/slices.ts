import type { Clock } from './ports.ts'

/** Long synchronous work in slices: whoever walks through many things breathes after each, and others have a turn when a slice is over. */
export class Slices {
  readonly #clock: Clock
  readonly #sliceMs: number
  #endMs: number

  constructor(clock: Clock, sliceMs: number) {
    this.#clock = clock
    this.#sliceMs = sliceMs
    this.#endMs = clock.monotonicMs() + sliceMs
  }

  /** Breathing costs a promise: where there are very many things, this is asked before. */
  get isOver(): boolean {
    return this.#clock.monotonicMs() >= this.#endMs
  }

  async breathe(): Promise<void> {
    if (!this.isOver) return
    await this.#clock.yield()
    this.#endMs = this.#clock.monotonicMs() + this.#sliceMs
  }
}
