import { describe, expect, test } from 'vitest'
import { Contention } from '../../src/engine/pull/contention.ts'
import { path } from './parts.ts'

const p = path('p')
const minuteMs = 60_000

/** As many conflicts as soon after each other as they may be resolved; the delays before each, the first included. */
function delaysOf(count: number): number[] {
  const contention = new Contention()
  const delays: number[] = []
  let nowMs = 0
  for (let conflict = 0; conflict < count; conflict++) {
    const delayMs = contention.delayMs(p, nowMs)
    delays.push(delayMs)
    nowMs += delayMs
    contention.note(p, nowMs)
    nowMs++
  }
  return delays.map((delayMs) => Math.ceil(delayMs / 1000))
}

test('rule 8: three conflicts are free; then the wait doubles from 2 s to 10 min for as long as it goes on', () => {
  const doubling = [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]
  expect(delaysOf(15)).toEqual([0, 0, 0, ...doubling])
})

describe('rule 8: after three conflicts', () => {
  const contended = (): Contention => {
    const contention = new Contention()
    for (const nowMs of [0, 1_000, 2_000]) contention.note(p, nowMs)
    return contention
  }

  test.each([
    ['at once', 2_000, 2_000],
    ['when half the wait is over', 3_000, 1_000],
    ['when all of it is', 4_000, 0],
    ['long after', 60 * minuteMs, 0],
  ])('what is left to wait %s', (_, nowMs, leftMs) => {
    expect(contended().delayMs(p, nowMs)).toBe(leftMs)
  })

  test('another path does not wait', () => {
    expect(contended().delayMs(path('q'), 2_000)).toBe(0)
  })

  test('quiet for ten minutes, it starts over', () => {
    const contention = contended()
    contention.note(p, 15 * minuteMs)
    expect(contention.delayMs(p, 15 * minuteMs)).toBe(0)
  })

  test('it starts over though another path has longer to wait', () => {
    const contention = new Contention()
    for (let conflict = 0; conflict < 20; conflict++) contention.note(path('q'), 0)
    for (const nowMs of [0, 1_000, 2_000]) contention.note(p, nowMs)
    contention.note(p, 15 * minuteMs)
    expect(contention.delayMs(p, 15 * minuteMs)).toBe(0)
  })
})

test('rule 8: three conflicts in more than ten minutes are no contention', () => {
  const contention = new Contention()
  for (let conflict = 0; conflict < 20; conflict++) {
    expect(contention.delayMs(p, conflict * 6 * minuteMs)).toBe(0)
    contention.note(p, conflict * 6 * minuteMs)
  }
})

test('rule 8: a path that has been quiet takes no memory', () => {
  const contention = new Contention()
  for (let n = 0; n < 1_000; n++) contention.note(path(`p${n}`), n * minuteMs)
  expect(contention.size).toBeLessThan(50)
})
