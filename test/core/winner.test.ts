import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentDigest, sameContent } from '../../src/core/entry.ts'
import { compareForWinner } from '../../src/core/winner.ts'
import { anyDot, anyEntry, anyVector } from './arbitraries.ts'
import { directory, file, symlink, tombstone } from './build.ts'
import { check } from './property.ts'

const at = { version: 'a1', by: 'a1' }

describe('rule 5: the winner is the greatest of a total order', () => {
  test('whoever compares finds the same', () => {
    check(
      fc.property(anyEntry, anyEntry, (a, b) => {
        expect(Math.sign(compareForWinner(a, b)) + Math.sign(compareForWinner(b, a))).toBe(0)
      }),
    )
  })

  test('in whatever order they meet, one of three wins', () => {
    check(
      fc.property(anyEntry, anyEntry, anyEntry, (a, b, c) => {
        if (compareForWinner(a, b) >= 0 && compareForWinner(b, c) >= 0)
          expect(compareForWinner(a, c)).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test('two contents of one path are never equal', () => {
    check(
      fc.property(anyEntry, anyEntry, (a, b) => {
        if (!sameContent(a, b)) expect(compareForWinner(a, b)).not.toBe(0)
        if (compareForWinner(a, b) !== 0) return
        expect([a.kind, a.mtimeUs, contentDigest(a), a.mode]).toEqual([
          b.kind,
          b.mtimeUs,
          contentDigest(b),
          b.mode,
        ])
      }),
    )
  })

  test('neither versions nor who wrote count', () => {
    check(
      fc.property(anyEntry, anyEntry, anyVector, anyDot, anyDot, (a, b, version, d, m) => {
        const other = { ...a, version, contentDot: d, metadataDot: m }
        expect(compareForWinner(other, b)).toBe(compareForWinner(a, b))
      }),
    )
  })

  test.each([
    [
      'a directory beats a newer file',
      directory({ ...at, mtimeUs: 1 }),
      file({ ...at, mtimeUs: 2 }),
    ],
    ['a file beats a newer symlink', file({ ...at, mtimeUs: 1 }), symlink({ ...at, mtimeUs: 2 })],
    [
      'a symlink beats a newer delete',
      symlink({ ...at, mtimeUs: 1 }),
      tombstone({ ...at, mtimeUs: 2 }),
    ],
    ['an edit beats a newer delete', file({ ...at, mtimeUs: 1 }), tombstone({ ...at, mtimeUs: 2 })],
    [
      'the later mtime wins by a microsecond',
      file({ ...at, mtimeUs: 2, content: 1 }),
      file({ ...at, mtimeUs: 1, content: 2 }),
    ],
    [
      'also before 1970',
      file({ ...at, mtimeUs: -1, content: 1 }),
      file({ ...at, mtimeUs: -2, content: 2 }),
    ],
    ['at one time the greater digest', file({ ...at, content: 2 }), file({ ...at, content: 1 })],
    ['of one content the greater mode', file({ ...at, mode: 0o755 }), file({ ...at, mode: 0o644 })],
  ])('%s', (_, winner, loser) => {
    expect(compareForWinner(winner, loser)).toBeGreaterThan(0)
  })
})
