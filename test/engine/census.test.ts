import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { conflictCopyOf } from '../../src/core/conflict.ts'
import type { Entry } from '../../src/core/entry.ts'
import type { IndexRecord } from '../../src/core/index-record.ts'
import { Census } from '../../src/engine/census.ts'
import { recordOf } from '../conformance/store-fixtures.ts'
import { directory, file, symlink, tombstone, type Shape } from '../core/build.ts'
import { check } from '../core/property.ts'
import { sha256 } from './parts.ts'

function censusOf(...records: readonly IndexRecord[]): Census {
  const census = new Census({ sha256 })
  for (const record of records) census.replace(null, record)
  return census
}

function digestOf(...entries: readonly Entry[]): string {
  return censusOf(...entries.map((entry, index) => recordOf(entry, index + 1))).treeDigest
}

const shape: Shape = { path: 'x', version: 'a1', by: 'a1' }

describe('the tree digest', () => {
  test.each<[string, Entry]>([
    ['another path', file({ ...shape, path: 'y' })],
    ['another content', file({ ...shape, content: 2 })],
    ['another mode', file({ ...shape, mode: 0o600 })],
    ['another kind', symlink(shape)],
    ['a directory', directory(shape)],
    ['nothing', tombstone(shape)],
  ])('of a tree with %s differs', (_, other) => {
    expect(digestOf(other)).not.toBe(digestOf(file(shape)))
  })

  test.each<[string, Entry, Entry]>([
    ['version', file({ ...shape, version: 'a1 b5', by: 'b5' }), file(shape)],
    ['mtime', file({ ...shape, mtimeUs: 5 }), file(shape)],
    ['mode of a link', symlink({ ...shape, mode: 0o600 }), symlink(shape)],
    ['mtime of a directory', directory({ ...shape, mtimeUs: 5 }), directory(shape)],
  ])('does not depend on the %s', (_, a, b) => {
    expect(digestOf(a)).toBe(digestOf(b))
  })

  test('of another link text differs', () => {
    expect(digestOf(symlink({ ...shape, content: 2 }))).not.toBe(digestOf(symlink(shape)))
  })

  test('has 64 digits, of nothing too', () => {
    expect(digestOf()).toBe('0'.repeat(64))
    expect(digestOf(file(shape))).toMatch(/^[0-9a-f]{64}$/)
  })

  const records = fc.uniqueArray(
    fc.record({
      path: fc.constantFrom('a', 'b', 'c', 'a/b', 'd'),
      content: fc.integer({ min: 1, max: 3 }),
      mode: fc.constantFrom(0o600, 0o644),
      make: fc.constantFrom(file, directory, symlink, tombstone),
    }),
    { selector: ({ path }) => path },
  )

  test('is equal exactly when the trees are, whatever was there before and in whatever order it came', () => {
    check(
      fc.property(records, records, (before, after) => {
        const build = (parts: (typeof before)[number]): IndexRecord =>
          recordOf(parts.make({ ...parts, version: 'a1', by: 'a1' }), 1)
        const textOf = ({ make, path, content, mode }: (typeof before)[number]): string =>
          make === tombstone
            ? ''
            : [path, make.name, make === directory || content, make === symlink || mode].join()
        const treeOf = (all: typeof before) => all.map(textOf).filter(Boolean).toSorted().join(' ')
        const census = censusOf(...before.map(build))
        const wasEqual = census.treeDigest === censusOf(...after.map(build)).treeDigest
        expect(wasEqual).toBe(treeOf(before) === treeOf(after))
        const known = new Map(before.map((parts) => [parts.path, build(parts)]))
        for (const parts of after.toReversed()) {
          census.replace(known.get(parts.path) ?? null, build(parts))
          known.delete(parts.path)
        }
        for (const gone of known.values()) census.replace(gone, null)
        expect(census.treeDigest).toBe(censusOf(...after.map(build)).treeDigest)
      }),
    )
  })
})

describe('the counts', () => {
  const all = [
    recordOf(file({ ...shape, path: 'f' }), 1),
    recordOf(file({ ...shape, path: 'g' }), 2),
    recordOf(directory({ ...shape, path: 'd' }), 3),
    recordOf(symlink({ ...shape, path: 'l' }), 4),
    recordOf(tombstone({ ...shape, path: 't' }), 5),
  ]

  test('rule 21: are those of what the index holds, tombstones too, and none when it is gone', () => {
    const census = censusOf(...all)
    const counts = () => {
      const { files, directories, symlinks, tombstones, sizeBytes, live, missing } = census
      return [files, directories, symlinks, tombstones, sizeBytes, live, missing.size]
    }
    expect(counts()).toEqual([2, 1, 1, 1, 20, 4, 0])
    for (const record of all) census.replace(record, null)
    expect(counts()).toEqual([0, 0, 0, 0, 0, 0, 0])
  })

  test('say how many live entries are not on the disk', () => {
    const [here, , , , gone] = all
    const away = { ...here!, observation: null }
    const census = censusOf(away, gone!)
    expect([...census.missing]).toEqual(['f'])
    census.replace(away, here!)
    expect(census.missing.size).toBe(0)
  })

  test('list the conflict copies that are there, in byte order', () => {
    const copies = ['b', 'a'].map((name) => conflictCopyOf(file({ ...shape, path: name })))
    const records = [...copies, file(shape)].map((entry, index) => recordOf(entry, index + 1))
    const census = censusOf(...records)
    expect(census.conflictCopies).toEqual(copies.map(({ path }) => path).toSorted())
    for (const record of records) census.replace(record, null)
    expect(census.conflictCopies).toEqual([])
  })
})
