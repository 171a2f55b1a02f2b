import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Chance, Clock } from '../../src/engine/ports.ts'

/** The clock of the wall. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs, signal) => sleep(delayMs, undefined, { signal }).catch(() => {}),
  yield: () => nextTurn(),
}

export const realChance: Chance = {
  id64: () => randomBytes(8).toString('hex'),
  fraction: () => Math.random(),
}

/** Long enough for a slow and busy machine. */
const patienceMs = 45_000

/** Resolves when the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + patienceMs
  while (!condition()) {
    if (performance.now() > endMs)
      throw new Error(`not within ${patienceMs} ms: ${condition.toString()}`)
    await sleep(5)
  }
}
