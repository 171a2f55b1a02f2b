import { expect, test } from 'vitest'
import { Random } from '../support/random.ts'
import { World, type Plan, type Topology } from './world.ts'

/** Replay one history: SIM_SEED=<seed> SIM_RUNS=1; SIM_TRACE=<file> gets all that happens. */
const firstSeed = Number(process.env['SIM_SEED'] ?? Date.now() % 1_000_000_000)
const runs = Number(process.env['SIM_RUNS'] ?? 50)
const traceFile = process.env['SIM_TRACE']

function planOf(seed: number): Plan {
  const random = new Random(seed ^ 0x5eed)
  const peers = random.pick([2, 2, 3, 3])
  const topology: Topology = random.pick(['mesh', 'mesh', 'chain'])
  return { seed, peers, topology, steps: 10 + random.below(50), traceFile }
}

test(`${runs} random histories from seed ${firstSeed} end with equal trees and nothing lost`, async () => {
  console.log(`SIM_SEED=${firstSeed} SIM_RUNS=${runs}`)
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) await new World(planOf(seed)).run()
}, 3_600_000)

test('a history repeated from its seed does the same to the letter', async () => {
  const first = await new World(planOf(firstSeed)).run()
  expect(await new World(planOf(firstSeed)).run()).toBe(first)
})
