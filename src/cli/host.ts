import { randomFillSync } from 'node:crypto'
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

/** Asked for one by one the kernel's random bytes cost more than the ids that are made of them. */
const randomness = { bytes: Buffer.allocUnsafeSlow(8 * 512), usedBytes: 8 * 512 }

export const systemChance: Chance = {
  id64: () => {
    if (randomness.usedBytes === randomness.bytes.length) {
      randomFillSync(randomness.bytes)
      randomness.usedBytes = 0
    }
    const start = randomness.usedBytes
    randomness.usedBytes += 8
    return randomness.bytes.toString('hex', start, randomness.usedBytes)
  },
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
