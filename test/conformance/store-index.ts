import { beforeEach, describe, expect, test } from 'vitest'

import { digest, file, symlink, tombstone } from '../core/build.ts'
import { extremeRecords } from './extreme-records.ts'
import {
  byBytes,
  dead,
  everyNameByte,
  live,
  numbered,
  path,
  recordOf,
  shuffled,
} from './store-fixtures.ts'
import type { StoreSubject } from './store-subject.ts'

/** What a store keeps of this disk. */
export function testIndex(subject: StoreSubject): void {
  describe('records', () => {
    test.each(extremeRecords())('$title comes back as it was put', ({ record }) => {
      subject.store.commit({ records: [record] })
      expect(subject.store.get(record.entry.path)).toStrictEqual(record)
      subject.reopen()
      expect(subject.store.get(record.entry.path)).toStrictEqual(record)
      expect([...subject.store.all()]).toStrictEqual([record])
    })

    test('a record replaces the one of the same path and of no other', () => {
      subject.store.commit({ records: [live('x', 1), live('X', 2), live('x/y', 3)] })
      const replaced = recordOf(symlink({ path: 'x', version: 'a9', by: 'a9' }), 4)
      subject.store.commit({ records: [replaced] })
      expect(subject.store.get(path('x'))).toStrictEqual(replaced)
      expect(subject.store.get(path('X'))).toStrictEqual(live('X', 2))
      expect(subject.store.get(path('x/y'))).toStrictEqual(live('x/y', 3))
      expect(subject.store.get(path('y'))).toBeNull()
    })

    test('of two records of one path in a transaction the later stands', () => {
      subject.store.commit({ records: [live('x', 1), live('x', 2)] })
      expect(subject.store.get(path('x'))?.sequence).toBe(2)
      expect(subject.store.changesAfter(0, 9).map(({ sequence }) => sequence)).toEqual([2])
    })

    test('all records come in the order of bytes', () => {
      const names = everyNameByte().flatMap((byte) => [`n${byte}`, `n${byte}/n`, `n${byte}n`])
      const paths = ['n', ...names]
      subject.store.commit({ records: shuffled(paths).map((name, n) => live(name, n + 1)) })
      expect([...subject.store.all()].map(({ entry }) => entry.path)).toEqual(byBytes(paths))
    })

    test('a forgotten record is gone without a trace', () => {
      subject.store.commit({ records: [live('x', 1), live('x/y', 2), live('xy', 3)] })
      subject.store.commit({ forgotten: [path('x'), path('never-there')] })
      expect([...subject.store.all()].map(({ entry }) => entry.path)).toEqual(['x/y', 'xy'])
      expect(subject.store.get(path('x'))).toBeNull()
      expect(subject.store.changesAfter(0, 9).map(({ sequence }) => sequence)).toEqual([2, 3])
      expect(subject.store.children(null).map(({ entry }) => entry.path)).toEqual(['xy'])
    })

    test('forgetting comes before putting: a path in both is there', () => {
      subject.store.commit({ records: [live('x', 1)] })
      subject.store.commit({ records: [live('x', 2)], forgotten: [path('x')] })
      expect(subject.store.get(path('x'))?.sequence).toBe(2)
    })

    test('all records may be read while commits happen: what nobody touches is seen once and in order', () => {
      const untouched = numbered(1, 2500)
      subject.store.commit({ records: untouched.map((name, n) => live(name, n + 1)) })
      const seen: string[] = []
      let sequence = 10_000
      for (const { entry } of subject.store.all()) {
        seen.push(entry.path)
        if (seen.length % 100 === 0)
          subject.store.commit({
            records: [live(`${entry.path}-new`, sequence++), live(`a-${sequence}`, sequence++)],
            forgotten: [path(`${entry.path}-old`), path(`a-${sequence - 50}`)],
          })
      }
      expect(seen.filter((name) => !name.includes('-'))).toEqual(untouched)
      expect(seen).toEqual(byBytes(seen))
    })
  })

  describe('trees', () => {
    const family = ['a', 'a-b', 'a/x', 'a/x-y', 'a/x/y', 'a/x/y/z', 'a0', 'b/c', 'a\xff']

    beforeEach(() => {
      subject.store.commit({ records: shuffled(family).map((name, n) => live(name, n + 1)) })
    })

    test('children are what lies directly in a directory, in the order of bytes', () => {
      expect(childrenOf(null)).toEqual(['a', 'a-b', 'a0', 'a\xff'])
      expect(childrenOf('a')).toEqual(['a/x', 'a/x-y'])
      expect(childrenOf('a/x')).toEqual(['a/x/y'])
      expect(childrenOf('a/x/y/z')).toEqual([])
      expect(childrenOf('b')).toEqual(['b/c'])
      expect(childrenOf('nothing')).toEqual([])
    })

    test('children are in the order of bytes whatever bytes their names have', () => {
      const names = everyNameByte().map((byte) => `dir/${byte}n`)
      subject.store.commit({ records: shuffled(names).map((name, n) => live(name, n + 1000)) })
      expect(childrenOf('dir')).toEqual(byBytes(names))
    })

    test('a tombstone is no child, and what comes back is one again', () => {
      subject.store.commit({ records: [dead('a/x', 20), dead('a-b', 21)] })
      expect(childrenOf('a')).toEqual(['a/x-y'])
      expect(childrenOf(null)).toEqual(['a', 'a0', 'a\xff'])
      subject.store.commit({ records: [live('a/x', 22)] })
      expect(childrenOf('a')).toEqual(['a/x', 'a/x-y'])
    })

    test('something live lies below a directory at any depth, and the directory itself does not count', () => {
      expect(family.filter((name) => subject.store.hasLiveBelow(path(name)))).toEqual([
        'a',
        'a/x',
        'a/x/y',
      ])
      expect(subject.store.hasLiveBelow(path('b'))).toBe(true)
      expect(subject.store.hasLiveBelow(path('nothing'))).toBe(false)
    })

    test('tombstones below a directory are nothing live, nor is what lies below a similar name', () => {
      const similar = ['a-b/x', 'a.d/x', 'a0/x', 'ab/x']
      subject.store.commit({ records: similar.map((name, n) => live(name, n + 60)) })
      const below = family.filter((name) => name.startsWith('a/'))
      subject.store.commit({ records: below.map((name, n) => dead(name, n + 20)) })
      expect(subject.store.hasLiveBelow(path('a'))).toBe(false)
      subject.store.commit({ records: [live('a/x/y/z', 40)] })
      expect(subject.store.hasLiveBelow(path('a'))).toBe(true)
      expect(subject.store.hasLiveBelow(path('a/x/y'))).toBe(true)
      expect(subject.store.hasLiveBelow(path('a/x/y/z'))).toBe(false)
    })

    function childrenOf(name: string | null): string[] {
      const children = subject.store.children(name === null ? null : path(name))
      return children.map(({ entry }) => entry.path)
    }
  })

  describe('sequences', () => {
    test('changes come in order of sequence, after the one given, at most as many as asked for', () => {
      subject.store.commit({ records: [live('c', 3), live('a', 9), live('b', 1), live('d', 4)] })
      expect(changesAfter(0, 10)).toEqual(['b', 'c', 'd', 'a'])
      expect(changesAfter(0, 2)).toEqual(['b', 'c'])
      expect(changesAfter(3, 10)).toEqual(['d', 'a'])
      expect(changesAfter(9, 10)).toEqual([])
    })

    test('rule 16: a path that changes moves to its new sequence, tombstones too', () => {
      subject.store.commit({ records: [live('a', 1), live('b', 2)] })
      subject.store.commit({ records: [dead('a', 3)] })
      expect(changesAfter(0, 10)).toEqual(['b', 'a'])
      expect(subject.store.changesAfter(2, 10)).toStrictEqual([dead('a', 3)])
    })

    test('sequence 0 is not announced, and many may have it', () => {
      subject.store.commit({ records: [live('a', 0), live('b', 0), live('c', 1)] })
      expect(changesAfter(0, 10)).toEqual(['c'])
      subject.store.commit({ records: [live('a', 2)] })
      expect(changesAfter(0, 10)).toEqual(['c', 'a'])
      subject.store.commit({ records: [live('c', 0)] })
      expect(changesAfter(0, 10)).toEqual(['a'])
    })

    test('rule 16: the highest sequence never goes back, whatever leaves the index', () => {
      subject.store.commit({ records: [live('a', 5), live('b', 7)] })
      expect(subject.store.lastSequence()).toBe(7)
      subject.store.commit({ records: [live('b', 6)] })
      subject.store.commit({ forgotten: [path('a'), path('b')] })
      expect(subject.store.lastSequence()).toBe(7)
      subject.reopen()
      expect(subject.store.lastSequence()).toBe(7)
    })

    test('rule 2: the last counter never goes back', () => {
      subject.store.commit({ lastCounter: 1_800_000_000_000_000 })
      subject.store.commit({ lastCounter: 17 })
      subject.store.commit({ records: [live('a', 1)] })
      expect(subject.store.lastCounter()).toBe(1_800_000_000_000_000)
      subject.reopen()
      expect(subject.store.lastCounter()).toBe(1_800_000_000_000_000)
    })

    function changesAfter(sequence: number, limit: number): string[] {
      return subject.store.changesAfter(sequence, limit).map(({ entry }) => entry.path)
    }
  })

  test('files are found by their content: no links, no tombstones, at most as many as asked for', () => {
    const versioned = { version: 'a1', by: 'a1', content: 5 }
    subject.store.commit({
      records: [
        recordOf(file({ path: 'z', ...versioned }), 1),
        recordOf(file({ path: 'd/\xff', ...versioned }), 2),
        recordOf(file({ path: 'd/a', ...versioned }), 3),
        recordOf(symlink({ path: 'link', ...versioned }), 4),
        recordOf(tombstone({ path: 'gone', ...versioned }), 5),
        recordOf(file({ path: 'other', version: 'a1', by: 'a1', content: 6 }), 6),
      ],
    })
    expect(byBytes(subject.store.findByDigest(digest(5), 10))).toEqual(['d/a', 'd/\xff', 'z'])
    expect(subject.store.findByDigest(digest(5), 2)).toHaveLength(2)
    expect(subject.store.findByDigest(digest(7), 10)).toEqual([])
    subject.store.commit({ records: [dead('d/a', 7)] })
    expect(byBytes(subject.store.findByDigest(digest(5), 10))).toEqual(['d/\xff', 'z'])
  })
}
