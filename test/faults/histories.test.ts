import { expect, test } from 'vitest'
import { runHistory } from './history.ts'

const isCi = process.env['CI'] === 'true'
const givenSeed = process.env['FAULTS_SEED']
const givenSeconds = process.env['FAULTS_SECONDS']

/** The first of several; each history has the next. */
const firstSeed = Number(givenSeed ?? Math.floor(Math.random() * 1e9))

/** A seed alone means that history and no other. */
const seconds = Number(givenSeconds ?? (givenSeed === undefined ? (isCi ? 120 : 60) : 0))

const timeout = (seconds + 900) * 1000

test(
  'three and four real peers end equal, and nothing is lost, whatever is done to them',
  { timeout },
  async () => {
    console.log(`FAULTS_SEED=${firstSeed} FAULTS_SECONDS=${seconds}`)
    const endMs = performance.now() + seconds * 1000
    let histories = 0
    let steps = 0
    do {
      const done = await runHistory(firstSeed + histories)
      steps += done.steps
      histories++
    } while (performance.now() < endMs)
    console.log(`${histories} histories, ${steps} steps`)
    expect(steps).toBeGreaterThan(0)
  },
)
