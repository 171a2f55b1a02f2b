import type { Clock } from './ports.ts'

/** Lets one loop sleep until somebody has something for it. A call while nobody waits is remembered. */
export class Wake {
  #isCalled = false
  #resolve: (() => void) | null = null

  call(): void {
    this.#isCalled = true
    this.#resolve?.()
  }

  /** Resolves when called, after `delayMs` (null: never by itself), or when the signal aborts. */
  async wait(clock: Clock, delayMs: number | null, signal: AbortSignal): Promise<void> {
    if (!this.#isCalled && !signal.aborted) await this.#sleep(clock, delayMs, signal)
    this.#isCalled = false
  }

  async #sleep(clock: Clock, delayMs: number | null, signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#resolve?.()
    const called = new Promise<void>((resolve) => {
      this.#resolve = resolve
    })
    signal.addEventListener('abort', onAbort)
    try {
      await (delayMs === null ? called : calledOrSlept(called, clock, delayMs))
    } finally {
      this.#resolve = null
      signal.removeEventListener('abort', onAbort)
    }
  }
}

async function calledOrSlept(called: Promise<void>, clock: Clock, delayMs: number): Promise<void> {
  const enough = new AbortController()
  await Promise.race([called, clock.sleep(delayMs, enough.signal)])
  // With a reason of its own: else an error with its stack is made each time.
  enough.abort('called')
}
