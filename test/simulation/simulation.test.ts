import { expect, test } from 'vitest'
import { drawHistory } from './draw.ts'
import { runHistory } from './world.ts'

/** Replay one history: SIM_SEED=<seed> SIM_RUNS=1; SIM_TRACE=<file> gets all that happens. */
const firstSeed = Number(process.env['SIM_SEED'] ?? Date.now() % 1_000_000_000)
const runs = Number(process.env['SIM_RUNS'] ?? 50)
const traceFile = process.env['SIM_TRACE']

const steps = { atLeast: 50, atMost: 200 }

test(
  `${runs} random histories from seed ${firstSeed} end with equal trees and nothing lost`,
  { timeout: 60_000 + runs * 5_000 },
  async () => {
    console.log(`SIM_SEED=${firstSeed} SIM_RUNS=${runs}`)
    for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
      const { failure, report } = await runHistory(drawHistory(seed, steps), { traceFile })
      if (failure !== null) throw new Error(report)
    }
  },
)

test('a history repeated from its seed does the same to the letter', async () => {
  const history = drawHistory(firstSeed, steps)
  const first = await runHistory(history, { isTracingPorts: true })
  const second = await runHistory(history, { isTracingPorts: true })
  expect(second.traceDigest).toBe(first.traceDigest)
})
