import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareDots,
  compareVectors,
  covers,
  coversDot,
  dotsEqual,
  emptyVector,
  formatDot,
  formatVector,
  maxVectorComponents,
  mergeVectors,
  parseCounter,
  parseDot,
  parseVector,
  vectorOf,
  withDot,
  type VersionVector,
} from '../../src/core/version-vector.ts'
import { anyDot, anyVector } from './arbitraries.ts'
import { dot, peer, vector } from './build.ts'
import { check } from './property.ts'

describe('rule 3: vectors are a join-semilattice under mergeVectors', () => {
  test('merging is commutative', () => {
    check(
      fc.property(anyVector, anyVector, (a, b) => {
        expectSame(mergeVectors(a, b), mergeVectors(b, a))
      }),
    )
  })

  test('merging is associative', () => {
    check(
      fc.property(anyVector, anyVector, anyVector, (a, b, c) => {
        expectSame(mergeVectors(a, mergeVectors(b, c)), mergeVectors(mergeVectors(a, b), c))
      }),
    )
  })

  test('merging is idempotent, and the empty vector adds nothing', () => {
    check(
      fc.property(anyVector, (a) => {
        expectSame(mergeVectors(a, a), a)
        expectSame(mergeVectors(a, emptyVector), a)
        expectSame(mergeVectors(emptyVector, a), a)
      }),
    )
  })

  test('covers is the order of the lattice: a covers b exactly when merging b into a changes nothing', () => {
    check(
      fc.property(anyVector, anyVector, (a, b) => {
        expect(covers(a, b)).toBe(formatVector(mergeVectors(a, b)) === formatVector(a))
      }),
    )
  })

  test('the merge is the least vector that covers both', () => {
    check(
      fc.property(anyVector, anyVector, anyVector, (a, b, other) => {
        const merged = mergeVectors(a, b)
        expect(covers(merged, a) && covers(merged, b)).toBe(true)
        if (covers(other, a) && covers(other, b)) expect(covers(other, merged)).toBe(true)
      }),
    )
  })

  test('a vector covers a dot exactly when it covers the vector of that dot alone', () => {
    check(
      fc.property(anyVector, anyDot, (a, d) => {
        expect(coversDot(a, d)).toBe(covers(a, vectorOf(d)))
        expect(coversDot(withDot(a, d), d)).toBe(true)
        expectSame(withDot(a, d), mergeVectors(a, vectorOf(d)))
      }),
    )
  })

  test('no operation changes the vectors it is given', () => {
    check(
      fc.property(anyVector, anyVector, anyDot, (a, b, d) => {
        const before = [formatVector(a), formatVector(b)]
        mergeVectors(a, b)
        withDot(a, d)
        expect([formatVector(a), formatVector(b)]).toEqual(before)
        expect(emptyVector.size).toBe(0)
      }),
    )
  })
})

describe('comparing', () => {
  test('compareVectors says the same from both sides', () => {
    const opposite = {
      equal: 'equal',
      ahead: 'behind',
      behind: 'ahead',
      concurrent: 'concurrent',
    } as const
    check(
      fc.property(anyVector, anyVector, (a, b) => {
        expect(compareVectors(b, a)).toBe(opposite[compareVectors(a, b)])
        expect(compareVectors(a, b) === 'equal').toBe(formatVector(a) === formatVector(b))
      }),
    )
  })

  test.each([
    ['', '', 'equal'],
    ['a1', '', 'ahead'],
    ['', 'a1', 'behind'],
    ['a1', 'b1', 'concurrent'],
    ['a2 b1', 'a1 b1', 'ahead'],
    ['a1 b1', 'a2 b1', 'behind'],
    ['a2 b1', 'a1 b2', 'concurrent'],
    ['a1 b1', 'a1 b1 c1', 'behind'],
  ])('"%s" against "%s" is %s', (a, b, order) => {
    expect(compareVectors(vector(a), vector(b))).toBe(order)
  })

  test('dots are totally ordered, the later counter first', () => {
    check(
      fc.property(anyDot, anyDot, anyDot, (a, b, c) => {
        expect(Math.sign(compareDots(a, b)) + Math.sign(compareDots(b, a))).toBe(0)
        expect(compareDots(a, b) === 0).toBe(dotsEqual(a, b))
        if (compareDots(a, b) <= 0 && compareDots(b, c) <= 0)
          expect(compareDots(a, c)).toBeLessThanOrEqual(0)
        if (a.counter > b.counter) expect(compareDots(a, b)).toBeGreaterThan(0)
      }),
    )
  })
})

describe('text', () => {
  test('vectors and dots come back from their text, and the text is one for equal vectors', () => {
    check(
      fc.property(fc.array(anyDot), anyDot, (dots, d) => {
        const a = vectorOf(...dots)
        expectSame(parseVector(formatVector(a)), a)
        expect(formatVector(vectorOf(...dots.toReversed()))).toBe(formatVector(a))
        expect(parseDot(formatDot(d))).toEqual(d)
      }),
    )
  })

  test('the greatest counter comes back', () => {
    const greatest = { peer: peer('f'), counter: Number.MAX_SAFE_INTEGER }
    expect(parseDot(formatDot(greatest))).toEqual(greatest)
  })

  const a = 'a'.repeat(16)
  const b = 'b'.repeat(16)
  test.each([
    ['no counter', a],
    ['empty counter', `${a}:`],
    ['zero', `${a}:0`],
    ['negative', `${a}:-1`],
    ['fraction', `${a}:1.5`],
    ['2^53', `${a}:9007199254740992`],
    ['2^64 - 1', `${a}:18446744073709551615`],
    ['exponent', `${a}:1e3`],
    ['hexadecimal', `${a}:0x10`],
    ['leading zero', `${a}:01`],
    ['leading space', `${a}: 1`],
    ['plus', `${a}:+1`],
    ['not a number', `${a}:NaN`],
    ['Infinity', `${a}:Infinity`],
    ['three parts', `${a}:1:1`],
    ['short peer', 'aaaa:1'],
    ['long peer', `${a}a:1`],
    ['upper-case peer', `${a.toUpperCase()}:1`],
    ['no peer', ':1'],
    ['empty component', `${a}:1,`],
    ['only a comma', ','],
    ['a peer twice', `${a}:1,${b}:1,${a}:1`],
    ['a space between', `${a}:1, ${b}:1`],
  ])('a vector with %s is refused', (_, text) => {
    expect(() => parseVector(text)).toThrow(expect.objectContaining({ code: 'bad-entry' }))
  })

  test(`more than ${maxVectorComponents} components are refused, that many are not`, () => {
    const text = (count: number) =>
      Array.from({ length: count }, (_, i) => `${i.toString(16).padStart(16, '0')}:1`).join(',')
    expect(parseVector(text(maxVectorComponents)).size).toBe(maxVectorComponents)
    expect(() => parseVector(text(maxVectorComponents + 1))).toThrow(
      expect.objectContaining({ code: 'bad-entry' }),
    )
  })

  test.each([0, -1, 1.5, NaN, Infinity, 2 ** 53])('the counter %s is refused', (counter) => {
    expect(() => parseCounter(counter)).toThrow(expect.objectContaining({ code: 'bad-entry' }))
  })

  test('of two dots of one peer a vector keeps the higher', () => {
    expectSame(vectorOf(dot('a3'), dot('a1'), dot('b1')), vector('a3 b1'))
  })
})

function expectSame(a: VersionVector, b: VersionVector): void {
  expect(formatVector(a)).toBe(formatVector(b))
}
