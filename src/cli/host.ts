import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Chance, Clock } from '../engine/ports.ts'

/** The clocks of this host. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  // Not the one of `timers/promises`: it makes an error with its stack whenever it is woken, which loops are all the time.
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const end = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, delayMs)
      signal?.addEventListener('abort', end)
    }),
  yield: () => new Promise((resolve) => setImmediate(resolve)),
}

export const systemChance: Chance = {
  id64: () => randomBytes(8).toString('hex'),
  fraction: () => Math.random(),
}

/** Another one after each boot of the kernel (random(4)); the empty text where the kernel does not tell. */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
