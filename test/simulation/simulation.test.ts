import { readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { drawHistory } from './draw.ts'
import { crashPoints, unfinishedBefore } from './crash-points.ts'
import { parseHistory, type History, type Step } from './history.ts'
import { shrink } from './shrink.ts'
import { runHistory, type Outcome } from './world.ts'

/**
 * SIM_SEED=<n> SIM_RUNS=<n> run other histories than the usual ones, SIM_SCRIPT=<file> one that was printed by a failure; SIM_TRACE=<file> gets
 * all that happens.
 */
const firstSeed = Number(process.env['SIM_SEED'] ?? 1)
const script = process.env['SIM_SCRIPT']
const runs = Number(process.env['SIM_RUNS'] ?? 500)
const traceFile = process.env['SIM_TRACE']

const steps = { atLeast: 50, atMost: 200 }

/** So many are one test: a failure among thousands is told while the others go on. */
const runsInTest = 50

/** Some effects are rare: so many histories are drawn, with everybody to end there, until somebody does. */
const runsForOnePoint = 400

/** Every point that histories came to, with their seeds. */
const points = new Map<string, Set<number>>()
const endedAt = new Set<string>()

console.log(`SIM_SEED=${firstSeed} SIM_RUNS=${runs}`)

if (script !== undefined) {
  test(script, async () => {
    await demandSuccess(parseHistory(readFileSync(script, 'utf8')))
  })
} else {
  for (let seed = firstSeed; seed < firstSeed + runs; seed += runsInTest) {
    const last = Math.min(seed + runsInTest, firstSeed + runs) - 1
    test(
      `random histories end with equal trees and nothing lost, and repeat to the letter: seeds ${seed} to ${last}`,
      { timeout: runsInTest * 20_000 },
      async () => {
        for (let one = seed; one <= last; one++) await demandRepeatable(drawHistory(one, steps))
      },
    )
  }

  test(
    'processes end before and after every effect, and nothing is lost by it',
    { timeout: 600_000 },
    async () => {
      for (const point of crashPoints.filter((one) => !endedAt.has(one))) await endAt(point)
      expect([...endedAt].toSorted()).toEqual(crashPoints.toSorted())
      expect(
        [...points.keys()].toSorted(),
        'an effect that test/simulation/crash-points.ts does not list',
      ).toEqual(crashPoints.toSorted())
    },
  )
}

afterAll(() => {
  if (script === undefined) console.log(`${endedAt.size} of ${points.size} crash points were hit`)
})

/** Histories in which everybody is to end at a point, and nowhere else, until one does: first those that are known to come to it. */
async function endAt(point: string): Promise<void> {
  const known = points.get(point) ?? []
  const others = Array.from({ length: runsForOnePoint }, (_, n) => firstSeed + n)
  for (const seed of new Set([...known, ...others])) {
    const history = drawHistory(seed, steps)
    const dooms = Array.from({ length: history.peers }, (_, peer) =>
      stepsToEndAt(point, peer),
    ).flat()
    const rest = history.steps.filter(({ deed }) => deed !== 'doom-at')
    await demandSuccess({ ...history, steps: [...dooms, ...rest] })
    if (endedAt.has(point)) return
  }
}

/** Twice, with every call on a port in the trace: the second must do the same as the first. */
function stepsToEndAt(point: string, peer: number): readonly Step[] {
  const doom: Step = { peer, deed: 'doom-at', args: [point], thenMs: 0 }
  const before = unfinishedBefore.get(point)
  if (before === undefined) return [doom]
  return [{ ...doom, args: [before] }, { peer, deed: 'start', args: [], thenMs: 1_000 }, doom]
}

async function demandRepeatable(history: History): Promise<void> {
  const first = await demandSuccess(history)
  const second = await runHistory(history, { isTracingPorts: true })
  expect(second.traceDigest, `seed ${history.seed} does not repeat`).toBe(first.traceDigest)
}

/** A failure is told with the shortest history that still has one. */
async function demandSuccess(history: History): Promise<Outcome> {
  const outcome = await runHistory(history, { traceFile, isTracingPorts: true })
  for (const point of outcome.points) {
    points.set(point, (points.get(point) ?? new Set()).add(history.seed))
  }
  for (const point of outcome.endedAt) endedAt.add(point)
  if (outcome.failure === null) return outcome
  const shortest = await shrink(
    history,
    async (shorter) => (await runHistory(shorter, {})).failure !== null,
  )
  const { report: shortReport } = await runHistory(shortest, {})
  throw new Error(shortReport === '' ? outcome.report : shortReport)
}
