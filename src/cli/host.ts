import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Chance, Clock } from '../engine/ports.ts'

/** The clocks of this host. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (delayMs, signal) => {
    try {
      await delay(delayMs, undefined, signal === undefined ? {} : { signal })
    } catch (error) {
      if (!(error instanceof Error && error.name === 'AbortError')) throw error
    }
  },
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
