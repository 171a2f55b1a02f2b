import { expect, test } from 'vitest'
import { runsOf } from '../../src/core/zero-runs.ts'
import { Random } from '../support/random.ts'

const KiB = 1024

function bytes(...parts: readonly (readonly [fill: number, length: number])[]): Uint8Array {
  return Buffer.concat(parts.map(([fill, length]) => Buffer.alloc(length, fill)))
}

const hole = (start: number, end: number) => ({ isHole: true, start, end })
const written = (start: number, end: number) => ({ isHole: false, start, end })

test.each([
  ['nothing', bytes(), []],
  ['a few zeros and nothing else', bytes([0, 5]), [hole(0, 5)]],
  ['no zeros', bytes([1, 100 * KiB]), [written(0, 100 * KiB)]],
  ['few zeros', bytes([1, 8 * KiB], [0, 28 * KiB], [1, 8 * KiB]), [written(0, 44 * KiB)]],
  [
    'many zeros between',
    bytes([1, 8 * KiB], [0, 32 * KiB], [1, 8 * KiB]),
    [written(0, 8 * KiB), hole(8 * KiB, 40 * KiB), written(40 * KiB, 48 * KiB)],
  ],
  [
    'zeros that begin and end inside of blocks',
    bytes([1, 5_000], [0, 60_000], [1, 5_000]),
    [written(0, 8192), hole(8192, 61_440), written(61_440, 70_000)],
  ],
  [
    'zeros at both ends',
    bytes([0, 40 * KiB], [1, 1], [0, 40 * KiB]),
    [hole(0, 40 * KiB), written(40 * KiB, 44 * KiB), hole(44 * KiB, 80 * KiB + 1)],
  ],
  [
    'a block of zeros but for its last byte',
    bytes([0, 64 * KiB - 1], [1, 1]),
    [hole(0, 60 * KiB), written(60 * KiB, 64 * KiB)],
  ],
])('%s', (_, given, expected) => {
  expect(runsOf(given)).toEqual(expected)
})

const seed = Math.floor(Math.random() * 2 ** 32)

test(`the runs are all of it, in order, and holes are zeros, wherever in memory it begins (seed ${seed})`, () => {
  const random = new Random(seed)
  for (let round = 0; round < 200; round++) {
    const whole = Buffer.alloc(1 + random.below(300_000))
    for (let island = random.below(4); island > 0; island--) {
      const start = random.below(whole.length)
      whole.fill(1 + random.below(255), start, Math.min(start + random.below(20_000), whole.length))
    }
    const given = whole.subarray(random.below(9))
    let end = 0
    for (const run of runsOf(given)) {
      expect(run.start).toBe(end)
      expect(run.end).toBeGreaterThan(run.start)
      if (run.isHole)
        expect(given.subarray(run.start, run.end).every((byte) => byte === 0)).toBe(true)
      end = run.end
    }
    expect(end).toBe(given.length)
  }
})
