import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  countNumbers,
  emptyIntervals,
  hasNumber,
  missingIntervals,
  withInterval,
  type Interval,
  type IntervalSet,
} from '../../src/core/interval-set.ts'
import { check } from './property.ts'

const anyInterval = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 12 }))
  .map(([from, length]) => ({ from, to: from + length }))

describe('interval set', () => {
  test('holds exactly what was added, whatever the order', () => {
    check(
      fc.property(fc.array(anyInterval, { maxLength: 15 }), (added) => {
        const set = setOf(added)
        const plain = numbersOf(added)
        for (let n = 0; n <= 75; n++) expect(hasNumber(set, n)).toBe(plain.has(n))
        expect(countNumbers(set)).toBe(plain.size)
        expect(setOf(added.toReversed())).toEqual(set)
      }),
    )
  })

  test('keeps its intervals apart and in order', () => {
    check(
      fc.property(fc.array(anyInterval, { maxLength: 15 }), (added) => {
        const set = setOf(added)
        set.forEach(({ from, to }, i) => {
          expect(from).toBeLessThanOrEqual(to)
          const next = set[i + 1]
          if (next !== undefined) expect(next.from).toBeGreaterThan(to + 1)
        })
      }),
    )
  })

  test('what is missing within bounds is what was not added', () => {
    check(
      fc.property(fc.array(anyInterval, { maxLength: 15 }), anyInterval, (added, within) => {
        const plain = numbersOf(added)
        const missing = missingIntervals(setOf(added), within)
        const expected = [...numbersOf([within])].filter((n) => !plain.has(n))
        expect([...numbersOf(missing)]).toEqual(expected)
        expect(setOf(missing)).toEqual(missing)
      }),
    )
  })

  test('filling what is missing leaves one interval', () => {
    check(
      fc.property(fc.array(anyInterval, { maxLength: 15 }), (added) => {
        const within = { from: 1, to: 80 }
        const set = setOf(added)
        const filled = missingIntervals(set, within).reduce<IntervalSet>(withInterval, set)
        expect(filled).toEqual([within])
        expect(missingIntervals(filled, within)).toEqual([])
      }),
    )
  })

  test('adding does not change the set it was added to, and what is there already gives the same set', () => {
    const set = setOf([
      { from: 1, to: 3 },
      { from: 7, to: 9 },
    ])
    expect(withInterval(set, { from: 4, to: 6 })).toEqual([{ from: 1, to: 9 }])
    expect(set).toEqual([
      { from: 1, to: 3 },
      { from: 7, to: 9 },
    ])
    expect(withInterval(set, { from: 8, to: 9 })).toBe(set)
    expect(withInterval(set, { from: 5, to: 4 })).toBe(set)
  })

  test('holds the greatest sequences there can be', () => {
    const top = Number.MAX_SAFE_INTEGER
    const set = setOf([{ from: top - 1, to: top }])
    expect(hasNumber(set, top)).toBe(true)
    expect(missingIntervals(set, { from: 1, to: top })).toEqual([{ from: 1, to: top - 2 }])
  })

  test('takes 20,000 single sequences that come every other first', () => {
    const even = Array.from({ length: 10_000 }, (_, i) => ({ from: 2 * i + 2, to: 2 * i + 2 }))
    const odd = Array.from({ length: 10_000 }, (_, i) => ({ from: 2 * i + 1, to: 2 * i + 1 }))
    expect(setOf([...even, ...odd.toReversed()])).toEqual([{ from: 1, to: 20_000 }])
  })
})

function setOf(intervals: readonly Interval[]): IntervalSet {
  return intervals.reduce<IntervalSet>(withInterval, emptyIntervals)
}

function numbersOf(intervals: readonly Interval[]): Set<number> {
  const numbers = new Set<number>()
  for (const { from, to } of intervals) for (let n = from; n <= to; n++) numbers.add(n)
  return numbers
}
