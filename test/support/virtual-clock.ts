import type { Clock } from '../../src/engine/ports.ts'

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly fire: () => void
}

/** Time that passes only when everybody waits: the simulation's. Timers fire in order of time, then of being set. */
export class VirtualTime {
  #nowMs = 0
  #order = 0
  #timers: Timer[] = []

  get nowMs(): number {
    return this.#nowMs
  }

  /** Calls `fire` once after `delayMs`; the returned function cancels. */
  after(delayMs: number, fire: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, fire }
    const at = this.#timers.findIndex((other) => other.dueMs > timer.dueMs)
    this.#timers.splice(at < 0 ? this.#timers.length : at, 0, timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Runs everything that is due within `durationMs`, and lets that time pass. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs
    for (;;) {
      await settle()
      const next = this.#timers[0]
      if (next === undefined || next.dueMs > endMs) break
      this.#timers.shift()
      this.#nowMs = next.dueMs
      next.fire()
    }
    this.#nowMs = endMs
  }
}

/** Every promise that can go on has gone on. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve))
}

/** One peer's clock in virtual time. Its wall clock may be wrong and may jump; what it measures is right. */
export class VirtualClock implements Clock {
  readonly #time: VirtualTime
  skewMs: number

  constructor({ time, skewMs = 0 }: { time: VirtualTime; skewMs?: number }) {
    this.#time = time
    this.skewMs = skewMs
  }

  nowMs(): number {
    return Date.UTC(2026, 0, 1) + Math.floor(this.#time.nowMs) + this.skewMs
  }

  monotonicMs(): number {
    return this.#time.nowMs
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const done = (): void => {
        cancel()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const cancel = this.#time.after(delayMs, done)
      signal?.addEventListener('abort', done)
    })
  }

  yield(): Promise<void> {
    return this.sleep(0)
  }
}
