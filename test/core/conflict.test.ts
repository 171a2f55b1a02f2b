import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  canHaveCopy,
  conflictCopyOf,
  conflictCopyPath,
  isConflictCopy,
  isUnalteredCopy,
  type Loser,
  originalOf,
} from '../../src/core/conflict.ts'
import { isLive } from '../../src/core/entry.ts'
import {
  isBelow,
  nameOf,
  parentOf,
  parseRelativePath,
  pathRefusal,
} from '../../src/core/relative-path.ts'
import { formatVector } from '../../src/core/version-vector.ts'
import { nastyNames } from '../support/nasty-names.ts'
import { anyEntry, anyPath } from './arbitraries.ts'
import { directory, dot, file, symlink, tombstone, vector } from './build.ts'
import { check } from './property.ts'

/** 2026-11-23 15:14:34 UTC. */
const mtimeUs = Date.UTC(2026, 10, 23, 15, 14, 34, 999) * 1000 + 999

const anyLoser: fc.Arbitrary<Loser> = fc
  .tuple(
    anyEntry.filter((entry) => canHaveCopy(entry)),
    anyPath,
  )
  .map(([entry, path]) => ({ ...entry, path }))

describe('rule 7: the name of a conflict copy', () => {
  const stamp = '.sync-conflict-20261123-151434-'

  test.each([
    ['a file with an extension', 'notes.txt', `notes${stamp}########.txt`],
    ['only the last extension', 'a.tar.gz', `a.tar${stamp}########.gz`],
    ['no extension', 'Makefile', `Makefile${stamp}########`],
    ['a leading dot belongs to the stem', '.bashrc', `.bashrc${stamp}########`],
    ['a leading dot and an extension', '.a.swp', `.a${stamp}########.swp`],
    ['a dot at the end', 'a.', `a${stamp}########.`],
    ['three dots', '...', `..${stamp}########.`],
    ['in a directory with a dot', 'a.d/b', `a.d/b${stamp}########`],
    ['a space and a dash', '-a b.c d', `-a b${stamp}########.c d`],
    ['bytes that are no UTF-8', '\xff.\xfe', `\xff${stamp}########.\xfe`],
    [
      'a copy of a copy has one suffix',
      'notes.sync-conflict-20200101-000000-0123abcd.txt',
      `notes${stamp}########.txt`,
    ],
    [
      'what only looks like a suffix stays',
      'a.sync-conflict-1.b',
      `a.sync-conflict-1${stamp}########.b`,
    ],
  ])('%s', (_, path, expected) => {
    const copy = conflictCopyPath(file({ path, version: 'a1', by: 'a1', mtimeUs }))
    expect(copy.replace(/-[0-9a-f]{8}(?=\.[^.]*$|$)/, '-########')).toBe(expected)
    expect(isConflictCopy(copy)).toBe(true)
    expect(isConflictCopy(file({ path, version: 'a1', by: 'a1' }).path)).toBe(
      path.includes('-0123abcd'),
    )
  })

  test('is this, letter for letter: other versions of the program must give the same', () => {
    const loser = { path: 'd/notes.txt', by: 'a1763910874999', content: 0xbeef, mtimeUs }
    expect(conflictCopyPath(file({ ...loser, version: loser.by }))).toBe(
      'd/notes.sync-conflict-20261123-151434-9f846290.txt',
    )
  })

  test('depends on nothing but path, content dot, digest and mtime', () => {
    const loser = file({ version: 'a1', by: 'a1', mtimeUs })
    const same = file({ version: 'a1 b7', by: 'a1', modeBy: 'b7', mode: 0o600, mtimeUs })
    expect(conflictCopyPath(same)).toBe(conflictCopyPath(loser))
    for (const other of [
      file({ version: 'a2', by: 'a2', mtimeUs }),
      file({ version: 'b1', by: 'b1', mtimeUs }),
      file({ version: 'a1', by: 'a1', mtimeUs, content: 2 }),
      file({ version: 'a1', by: 'a1', mtimeUs: mtimeUs + 1_000_000 }),
    ]) {
      expect(conflictCopyPath(other)).not.toBe(conflictCopyPath(loser))
    }
    expect(conflictCopyPath(loser, 1)).not.toBe(conflictCopyPath(loser))
  })

  test.each([
    ['before 1970', -1, '19700101-000000'],
    ['as late as can be announced', Number.MAX_SAFE_INTEGER, '22550605-234734'],
    ['later than can be announced', Number.MAX_VALUE, '99991231-235959'],
    ['long before 1970', Number.MIN_SAFE_INTEGER, '19700101-000000'],
  ])('an mtime %s has a time all the same', (_, us, time) => {
    expect(conflictCopyPath(file({ version: 'a1', by: 'a1', mtimeUs: us }))).toContain(
      `.sync-conflict-${time}-`,
    )
  })

  test('is another than its own for a copy that loses its name', () => {
    check(
      fc.property(anyLoser, (loser) => {
        const copy = conflictCopyOf(loser)
        const again = conflictCopyOf(copy)
        expect(again.path).not.toBe(copy.path)
        expect(conflictCopyOf(again).path).not.toBe(again.path)
      }),
    )
  })

  test('is a path that can be synced, in the directory of the loser or one above, and a copy of it has as long a name', () => {
    check(
      fc.property(anyLoser, (loser) => {
        const path = conflictCopyPath(loser)
        expect(pathRefusal(path)).toBeNull()
        expect(nameOf(path).length).toBeLessThanOrEqual(255)
        const parent = parentOf(path)
        if (parent !== null) expect(isBelow(loser.path, parent)).toBe(true)
        expect(nameOf(path).match(/\.sync-conflict-/g)).toHaveLength(
          1 + (nameOf(loser.path).match(/\.sync-conflict-/g)?.length ?? 0),
        )
        expect(conflictCopyPath({ ...loser, path })).toHaveLength(path.length)
      }),
    )
  })

  test.each([
    ['ASCII', 'n'.repeat(251) + '.txt', 'n'.repeat(212)],
    ['two bytes a character', '\xc3\xa9'.repeat(125) + 'a.txt', '\xc3\xa9'.repeat(106)],
    ['two bytes, cut within', 'a' + '\xc3\xa9'.repeat(125) + '.txt', 'a' + '\xc3\xa9'.repeat(105)],
    [
      'three bytes, cut after one',
      'a' + '\xe2\x82\xac'.repeat(83) + '.txt',
      'a' + '\xe2\x82\xac'.repeat(70),
    ],
    [
      'four bytes, cut after three',
      'a' + '\xf0\x9f\x98\x80'.repeat(62) + '.txt',
      'a' + '\xf0\x9f\x98\x80'.repeat(52),
    ],
    ['no UTF-8 at all', '\x80'.repeat(251) + '.txt', '\x80'.repeat(212)],
    [
      'an extension that leaves no room is cut like a stem',
      'a.' + 'b'.repeat(250),
      'a.' + 'b'.repeat(214),
    ],
  ])('a long name of %s is cut at a character', (_, path, stem) => {
    const name = conflictCopyPath(file({ path, version: 'a1', by: 'a1', mtimeUs }))
    expect(name.slice(0, name.indexOf('.sync-conflict-'))).toBe(stem)
    expect(name.length).toBeLessThanOrEqual(255)
  })

  test('where the path would be too long, the copy is in a directory above', () => {
    const parent = Array.from({ length: 16 }, () => 'd'.repeat(254)).join('/')
    const path = `${parent}/${'n'.repeat(4095 - parent.length - 1)}`
    const copy = conflictCopyPath(file({ path, version: 'a1', by: 'a1', mtimeUs }))
    expect(pathRefusal(copy)).toBeNull()
    expect(parentOf(copy)).toBe(parentOf(file({ path: parent, version: 'a1', by: 'a1' }).path))
  })
})

describe('rule 7: the copy as an entry', () => {
  test('is the content of the loser under its dot alone, the same from every holder', () => {
    check(
      fc.property(anyLoser, (loser) => {
        const copy = conflictCopyOf(loser)
        expect(formatVector(copy.version)).toBe(
          formatVector(new Map([[loser.contentDot.peer, loser.contentDot.counter]])),
        )
        expect(copy).toEqual({
          ...loser,
          path: conflictCopyPath(loser),
          version: copy.version,
          metadataDot: loser.contentDot,
        })
        const elsewhere = { ...loser, version: vector('a9 b9 c9'), metadataDot: dot('b9') }
        expect(conflictCopyOf(elsewhere)).toEqual(copy)
      }),
    )
  })

  test('says in its name whether it still holds what it was made for', () => {
    check(
      fc.property(anyLoser, fc.nat(3), (loser, attempt) => {
        const copy = conflictCopyOf(loser, attempt)
        expect(isUnalteredCopy(copy)).toBe(true)
        expect(isUnalteredCopy({ ...copy, mode: 0o600, mtimeUs: 7 })).toBe(true)
        expect(isUnalteredCopy(conflictCopyOf(copy, attempt))).toBe(true)
        expect(isUnalteredCopy({ ...copy, contentDot: dot('f9') })).toBe(false)
        expect(isUnalteredCopy(loser)).toBe(false)
      }),
    )
    const gone = tombstone({
      path: conflictCopyOf(file({ version: 'a1', by: 'a1' })).path,
      version: 'a1',
      by: 'a1',
    })
    expect(isUnalteredCopy(gone)).toBe(false)
  })

  test('only what has bytes can have a copy', () => {
    const shape = { version: 'a1', by: 'a1' }
    expect([file, symlink, directory, tombstone].map((make) => canHaveCopy(make(shape)))).toEqual([
      true,
      true,
      false,
      false,
    ])
    check(
      fc.property(anyEntry, (entry) => {
        expect(canHaveCopy(entry)).toBe(isLive(entry) && entry.kind !== 'directory')
      }),
    )
  })
})

describe('what a conflict copy is of', () => {
  test.each([
    ['d/a.sync-conflict-20261123-120000-0123abcd.txt', 'd/a.txt'],
    ['d/a.txt', 'd/a.txt'],
  ])('%s', (copy, original) => {
    expect(originalOf(parseRelativePath(copy))).toBe(original)
  })

  test.each(nastyNames)(
    'a file that somebody gave such a name is of something or itself: %j',
    (name) => {
      for (const path of [name, `d/${name}`].map((text) => parseRelativePath(text))) {
        const original = originalOf(path)
        expect(pathRefusal(original)).toBeNull()
        expect(parentOf(original)).toBe(parentOf(path))
      }
    },
  )
})
