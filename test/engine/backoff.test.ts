import { expect, test } from 'vitest'
import { backoffMs } from '../../src/engine/backoff.ts'
import { Random } from '../support/random.ts'

const chanceOf = (fraction: number) => ({ fraction: () => fraction, id64: () => '' })

test.each([
  [0, 0, 50],
  [0, 0.5, 75],
  [1, 0, 100],
  [5, 0, 1_600],
  [6, 0, 2_500],
  [7, 0, 2_500],
  [1_000, 0, 2_500],
])('attempt %i at chance %d waits %i ms', (attempt, fraction, delayMs) => {
  const options = { firstMs: 100, lastMs: 5_000, chance: chanceOf(fraction) }
  expect(backoffMs(attempt, options)).toBe(delayMs)
})

test('peers that failed together do not come back together', () => {
  const chance = new Random(1)
  const delays = Array.from({ length: 100 }, () =>
    backoffMs(3, { firstMs: 500, lastMs: 60_000, chance }),
  )
  expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(1_500)
  expect(Math.max(...delays)).toBeLessThanOrEqual(4_000)
})
