import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { drawHistory } from './draw.ts'
import { parseHistory, type History } from './history.ts'
import { shrink } from './shrink.ts'
import { runHistory } from './world.ts'

/**
 * SIM_SEED=<n> SIM_RUNS=<n> run other histories than the usual ones, SIM_SCRIPT=<file> one that was printed by a failure; SIM_TRACE=<file> gets
 * all that happens.
 */
const firstSeed = Number(process.env['SIM_SEED'] ?? 1)
const script = process.env['SIM_SCRIPT']
const runs = Number(process.env['SIM_RUNS'] ?? 50)
const traceFile = process.env['SIM_TRACE']

const steps = { atLeast: 50, atMost: 200 }

test(
  `${runs} random histories from seed ${firstSeed} end with equal trees and nothing lost`,
  { timeout: 60_000 + runs * 5_000 },
  async () => {
    console.log(`SIM_SEED=${firstSeed} SIM_RUNS=${runs}`)
    if (script !== undefined) return demandSuccess(parseHistory(readFileSync(script, 'utf8')))
    for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
      await demandSuccess(drawHistory(seed, steps))
    }
  },
)

test('a history repeated from its seed does the same to the letter', async () => {
  const history = drawHistory(firstSeed, steps)
  const first = await runHistory(history, { isTracingPorts: true })
  const second = await runHistory(history, { isTracingPorts: true })
  expect(second.traceDigest).toBe(first.traceDigest)
})

/** A failure is told with the shortest history that still has one. */
async function demandSuccess(history: History): Promise<void> {
  const { failure, report } = await runHistory(history, { traceFile })
  if (failure === null) return
  const shortest = await shrink(
    history,
    async (shorter) => (await runHistory(shorter, {})).failure !== null,
  )
  const { report: shortReport } = await runHistory(shortest, {})
  throw new Error(shortReport === '' ? report : shortReport)
}
