import { describe, test } from 'vitest'
import { Failure } from './failure.ts'
import { runSchedule } from './run.ts'
import { scheduleOf, script, shrink, type Schedule } from './schedule.ts'

/** `PLAN_SEED` is the seed of the first schedule, `PLAN_RUNS` how many there are. */
const firstSeed = Number(process.env['PLAN_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const runs = Number(process.env['PLAN_RUNS'] ?? 20_000)

describe('one tree, perturbed twice, planned and applied in batches of any order', () => {
  test(
    `comes to rest within 200 rounds, equal, with nothing lost: ${runs} schedules from PLAN_SEED=${firstSeed}`,
    { timeout: 120_000 + runs * 20 },
    async () => {
      for (let seed = firstSeed; seed < firstSeed + runs; seed++)
        await expectToHold(scheduleOf(seed))
    },
  )
})

async function expectToHold(schedule: Schedule): Promise<void> {
  const failure = await failureOf(schedule)
  if (failure === null) return
  const shortest = await shrink(
    schedule,
    async (shorter) => (await failureOf(shorter))?.kind === failure.kind,
  )
  const last = await failureOf(shortest)
  throw new Error(
    [
      `${failure.kind}: ${failure.message}`,
      `shortest: ${last?.message}`,
      script(shortest),
      `again with PLAN_SEED=${schedule.seed} PLAN_RUNS=1`,
    ].join('\n'),
  )
}

async function failureOf(schedule: Schedule): Promise<Failure | null> {
  try {
    await runSchedule(schedule)
    return null
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}
