import { readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { drawHistory } from './draw.ts'
import { brakeCrashPoints, unfinishedBefore, usualCrashPoints } from './crash-points.ts'
import { deeds } from './deeds.ts'
import { meddlingsDone } from './deeds-between.ts'
import { parseHistory, type History, type Step } from './history.ts'
import { shrink } from './shrink.ts'
import { startingStates } from './sim-peer.ts'
import { runHistory, type Outcome } from './world.ts'

/**
 * SIM_SEED=<n> SIM_RUNS=<n> run other histories than the usual ones, SIM_SCRIPT=<file> one that was printed by a failure; SIM_TRACE=<file> gets
 * all that happens.
 */
const firstSeed = Number(process.env['SIM_SEED'] ?? 1)
const script = process.env['SIM_SCRIPT']
const usualRuns = 500
const runs = Number(process.env['SIM_RUNS'] ?? usualRuns)
const traceFile = process.env['SIM_TRACE']

const steps = { atLeast: 50, atMost: 200 }

/** So many are one test: a failure among thousands is told while the others go on. */
const runsInTest = 50

/** Some effects are rare: so many histories are drawn, with everybody to end there, until somebody does. */
const runsForOnePoint = 400

/** One with a delete brake for so many others: they are large. */
const brakeRuns = Math.ceil(runs / 20)

const crashPoints = [...usualCrashPoints, ...brakeCrashPoints]

/** Every point that processes came to, with histories in which they did. */
const points = new Map<string, History[]>()
const endedAt = new Set<string>()
const done = new Set<string>()
const startedWith = new Set<string>()

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
        for (let one = seed; one <= last; one++) await demandRepeatable(drawUsualHistory(one))
      },
    )
  }

  test(
    `rule 19: histories with a delete brake delete nothing unasked, and repeat to the letter: seeds ${firstSeed} to ${firstSeed + brakeRuns - 1}`,
    { timeout: 60_000 + brakeRuns * 20_000 },
    async () => {
      for (let seed = firstSeed; seed < firstSeed + brakeRuns; seed++)
        await demandRepeatable(drawBrakeHistory(seed))
    },
  )

  test(
    'every deed is done in some history, and some processes start with what a crash left',
    { timeout: 600_000 },
    async () => {
      const all = [...deeds.keys(), ...meddlingsDone]
      // Only where fewer histories than usual were run before.
      for (let n = 0; n < usualRuns && !all.every((deed) => done.has(deed)); n++) {
        await demandSuccess(drawUsualHistory(firstSeed + n))
        await demandSuccess(drawBrakeHistory(firstSeed + n))
      }
      expect([...done].toSorted()).toEqual(all.toSorted())
      expect([...startedWith].toSorted()).toEqual(startingStates.toSorted())
    },
  )

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
  const draw = brakeCrashPoints.includes(point) ? drawBrakeHistory : drawUsualHistory
  const others = Array.from({ length: runsForOnePoint }, (_, n) => draw(firstSeed + n))
  for (const history of [...known, ...others]) {
    const dooms = Array.from({ length: history.peers }, (_, peer) =>
      stepsToEndAt(point, peer),
    ).flat()
    const rest = history.steps.filter(({ deed }) => deed !== 'doom-at')
    await demandSuccess({ ...history, steps: [...dooms, ...rest] })
    if (endedAt.has(point)) return
  }
}

function drawUsualHistory(seed: number): History {
  return drawHistory(seed, steps)
}

function drawBrakeHistory(seed: number): History {
  return drawHistory(seed, steps, ['brake'])
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
  for (const point of first.points) points.get(point)?.push(history)
  const second = await runHistory(history, { isTracingPorts: true })
  expect(second.traceDigest, `seed ${history.seed} does not repeat`).toBe(first.traceDigest)
}

/** A failure is told with the shortest history that still has one. */
async function demandSuccess(history: History): Promise<Outcome> {
  const outcome = await runHistory(history, { traceFile, isTracingPorts: true })
  for (const point of outcome.points) {
    points.set(point, points.get(point) ?? [])
  }
  for (const point of outcome.endedAt) endedAt.add(point)
  for (const deed of outcome.done) done.add(deed)
  for (const state of outcome.startedWith) startedWith.add(state)
  if (outcome.failure === null) return outcome
  const shortest = await shrink(
    history,
    async (shorter) => (await runHistory(shorter, {})).failure !== null,
  )
  const { report: shortReport } = await runHistory(shortest, {})
  throw new Error(shortReport === '' ? outcome.report : shortReport)
}
