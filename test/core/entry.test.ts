import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDigest } from '../../src/core/digest.ts'
import {
  contentDigest,
  isLive,
  sameContent,
  sameEntry,
  sameMetadata,
  type Entry,
} from '../../src/core/entry.ts'
import { errorCode, SyndError } from '../../src/core/errors.ts'
import {
  sameBytes,
  sameObservation,
  toMicroseconds,
  type Observation,
} from '../../src/core/observation.ts'
import { parseEpoch, parsePeerId } from '../../src/core/peer-id.ts'
import { anyEntry } from './arbitraries.ts'
import { digest, directory, dot, file, symlink, tombstone, vector } from './build.ts'
import { check } from './property.ts'

const at = { version: 'a1', by: 'a1' }

describe('what distinguishes two entries of one path', () => {
  test.each<[string, Entry, Entry, { content: boolean; metadata: boolean; entry: boolean }]>([
    ['nothing', file(at), file(at), { content: true, metadata: true, entry: true }],
    [
      'bytes',
      file(at),
      file({ ...at, content: 2 }),
      { content: false, metadata: true, entry: false },
    ],
    [
      'mode',
      file(at),
      file({ ...at, mode: 0o600 }),
      { content: true, metadata: false, entry: false },
    ],
    [
      'mtime',
      file(at),
      file({ ...at, mtimeUs: 1 }),
      { content: true, metadata: false, entry: false },
    ],
    [
      'version',
      file(at),
      file({ ...at, version: 'a1 b1' }),
      { content: true, metadata: true, entry: false },
    ],
    [
      'who wrote',
      file({ ...at, version: 'a1 b1' }),
      file({ version: 'a1 b1', by: 'b1' }),
      { content: true, metadata: true, entry: false },
    ],
    ['kind', file(at), symlink(at), { content: false, metadata: true, entry: false }],
    [
      'text of a link',
      symlink(at),
      symlink({ ...at, content: 2 }),
      { content: false, metadata: true, entry: false },
    ],
    [
      'mtime of a link: nobody sees it, but it decides who wins',
      symlink(at),
      symlink({ ...at, mtimeUs: 1 }),
      { content: true, metadata: true, entry: false },
    ],
    [
      'mode of a directory',
      directory(at),
      directory({ ...at, mode: 0o700 }),
      { content: true, metadata: false, entry: false },
    ],
    [
      'mtime of a directory: a hint',
      directory(at),
      directory({ ...at, mtimeUs: 1 }),
      { content: true, metadata: true, entry: true },
    ],
    [
      'what was deleted',
      tombstone(at),
      tombstone({ ...at, content: 2 }),
      { content: true, metadata: true, entry: false },
    ],
    ['deleted or not', tombstone(at), file(at), { content: false, metadata: false, entry: false }],
  ])('%s', (_, a, b, same) => {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      expect({
        content: sameContent(one, other),
        metadata: sameMetadata(one, other),
        entry: sameEntry(one, other),
      }).toEqual(same)
    }
  })

  test('the same entry has the same content, metadata and version', () => {
    check(
      fc.property(anyEntry, anyEntry, (a, b) => {
        expect(sameEntry(a, a)).toBe(true)
        if (sameEntry(a, b)) expect([sameContent(a, b), sameMetadata(a, b)]).toEqual([true, true])
      }),
    )
  })

  test('only files and links have a content digest, only tombstones are not live', () => {
    expect([file(at), symlink(at)].map((entry) => contentDigest(entry))).toEqual([
      digest(1),
      digest(1),
    ])
    expect([directory(at), tombstone(at)].map((entry) => contentDigest(entry))).toEqual([
      null,
      null,
    ])
    expect([file(at), symlink(at), directory(at)].every((entry) => isLive(entry))).toBe(true)
    for (const none of [tombstone(at), null, undefined]) expect(isLive(none)).toBe(false)
  })

  test('the builders of these tests say what they mean', () => {
    expect(file({ version: 'a1 b2', by: 'b2', modeBy: 'a1' })).toMatchObject({
      version: vector('b2 a1'),
      contentDot: dot('b2'),
      metadataDot: dot('a1'),
    })
  })
})

describe('observations', () => {
  const seen: Observation = {
    kind: 'file',
    mode: 0o644,
    mtimeNs: 1n,
    ctimeNs: 2n,
    sizeBytes: 3,
    inode: 4n,
    device: 5n,
  }

  test.each<[keyof Observation, Partial<Observation>, boolean, boolean]>([
    ['mode', { mode: 0o600 }, false, true],
    ['mtimeNs', { mtimeNs: 9n }, false, false],
    ['ctimeNs', { ctimeNs: 9n }, false, true],
    ['sizeBytes', { sizeBytes: 9 }, false, false],
    ['inode', { inode: 9n }, false, false],
    ['device', { device: 9n }, false, false],
    ['kind', { kind: 'symlink' }, false, false],
  ])('another %s of a file', (_, change, isSame, hasSameBytes) => {
    expect(sameObservation(seen, { ...seen, ...change })).toBe(isSame)
    expect(sameBytes(seen, { ...seen, ...change })).toBe(hasSameBytes)
  })

  test('rule 12: of a directory times and size do not count', () => {
    const before = { ...seen, kind: 'directory' } as const
    expect(sameObservation(before, { ...before, mtimeNs: 9n, ctimeNs: 9n, sizeBytes: 9 })).toBe(
      true,
    )
    expect(sameObservation(before, { ...before, mode: 0o700 })).toBe(false)
    expect(sameObservation(before, { ...before, inode: 9n })).toBe(false)
  })

  test.each([
    [0n, 0],
    [999n, 0],
    [1000n, 1],
    [1_763_910_874_999_999_999n, 1_763_910_874_999_999],
    [-1n, -1],
    [-1000n, -1],
    [-1001n, -2],
  ])('%s ns are %s µs, cut towards the past', (ns, us) => {
    expect(toMicroseconds(ns)).toBe(us)
  })
})

describe('texts that come from outside', () => {
  const hex16 = '0123456789abcdef'
  const hex64 = hex16.repeat(4)

  test('ids, epochs and digests are taken as they are', () => {
    expect(parsePeerId(hex16)).toBe(hex16)
    expect(parseEpoch(hex16)).toBe(hex16)
    expect(parseDigest(hex64)).toBe(hex64)
  })

  test.each([
    '',
    hex16.slice(1),
    `${hex16}0`,
    hex16.toUpperCase(),
    `${hex16}\n`,
    ` ${hex16.slice(1)}`,
    `g${hex16.slice(1)}`,
  ])('%j is no id, no epoch and, four times, no digest', (text) => {
    const refused = expect.objectContaining({ code: 'bad-entry' })
    expect(() => parsePeerId(text)).toThrow(refused)
    expect(() => parseEpoch(text)).toThrow(refused)
    expect(() => parseDigest(text.repeat(4))).toThrow(refused)
  })

  test('an error is known by its code', () => {
    const error = new SyndError('no-space', 'full', { retryable: true, cause: 'ENOSPC' })
    expect([errorCode(error), error.retryable, error.cause]).toEqual(['no-space', true, 'ENOSPC'])
    expect(errorCode(new Error('full'))).toBeNull()
    expect(new SyndError('io', 'x').retryable).toBe(false)
  })
})
