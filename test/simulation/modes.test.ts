import { expect, test } from 'vitest'
import { parseHistory, printHistory } from './history.ts'
import { drawModesHistory } from './modes.ts'
import { shrink } from './shrink.ts'
import { runHistory } from './world.ts'

/** SIM_SEED=<n> SIM_RUNS=<n> run other histories than the usual ones; SIM_TRACE=<file> gets all that happens. */
const firstSeed = Number(process.env['SIM_SEED'] ?? 1)
const runs = Number(process.env['SIM_RUNS'] ?? 15)
const traceFile = process.env['SIM_TRACE']
const steps = { atLeast: 40, atMost: 120 }

test(
  `rules M1 to M9: ${runs} random histories of peers with modes from seed ${firstSeed} lose nothing and say truthfully what is apart`,
  { timeout: 60_000 + runs * 10_000 },
  async () => {
    console.log(`SIM_SEED=${firstSeed} SIM_RUNS=${runs}`)
    for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
      const history = drawModesHistory(seed, steps)
      const { failure, report } = await runHistory(history, { traceFile })
      if (failure === null) continue
      const fails = async (one: typeof history): Promise<boolean> =>
        (await runHistory(one, {})).failure !== null
      const { report: short } = await runHistory(await shrink(history, fails, 150), {})
      throw new Error(short === '' ? report : short)
    }
  },
)

test('a script says which modes the peers have', () => {
  const history = drawModesHistory(3, steps)
  expect(parseHistory(printHistory(history))).toEqual(history)
})
