import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { maxAnnouncementBytes, type Announcement } from '../../src/core/protocol.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { proto } from '../../src/rpc/proto.ts'
import { bytesField, fieldsOf, varintField } from '../../src/rpc/protobuf-fields.ts'
import { Rejection, type RejectionReason } from '../../src/rpc/rejection.ts'
import { decodeAnnouncement, encodeAnnouncement } from '../../src/rpc/wire-announcement.ts'
import type { Entry as WireEntry } from '../../src/rpc/generated/synd/v1/Entry.ts'
import { check } from '../core/property.ts'
import { firstPeer, sampleEntries, secondPeer, sha256 } from './samples.ts'

const nowMs = 1_700_000_000_000

function decode(message: Buffer): { announcement: Announcement; reasons: RejectionReason[] } {
  const reasons: RejectionReason[] = []
  const rejected = (_: 'grpc', reason: RejectionReason) => void reasons.push(reason)
  return { announcement: decodeAnnouncement(message, { nowMs, rejected }), reasons }
}

function reasonOf(run: () => unknown): RejectionReason | null {
  try {
    run()
    return null
  } catch (error) {
    if (error instanceof Rejection) return error.reason
    throw error
  }
}

test('every kind of entry arrives as it was sent', () => {
  const entries = sampleEntries().map((entry, index) => ({ sequence: index + 1, entry }))
  const sent = { entries, upTo: Number.MAX_SAFE_INTEGER, head: Number.MAX_SAFE_INTEGER }
  const messages = encodeAnnouncement(sent)
  expect(messages).toHaveLength(1)
  const { announcement, reasons } = decode(messages[0]!)
  expect(announcement).toEqual({ ...sent, refused: [] })
  expect(reasons).toEqual([])
})

test('what is written by hand is what protobuf reads', () => {
  const entries = sampleEntries().map((entry, index) => ({ sequence: (index + 1) * 100, entry }))
  const [message] = encodeAnnouncement({ entries, upTo: 1000, head: 300_000_000_000 })
  const read = proto().Announcement.deserialize(message!)
  expect(read.entries).toHaveLength(entries.length)
  expect(read.entries[2]?.sequence).toBe('300')
  expect(read.upTo).toBe('1000')
  expect(read.head).toBe('300000000000')
  expect(decode(proto().Announcement.serialize(read)).announcement.entries).toEqual(entries)
})

test('an announcement without entries is one message', () => {
  const sent = { entries: [], upTo: 5, head: 9 }
  const [message, ...others] = encodeAnnouncement(sent)
  expect(others).toEqual([])
  expect(decode(message!).announcement).toEqual({ ...sent, refused: [] })
})

test('what is too much for one message is told in several, each up to its last entry', () => {
  const [file] = sampleEntries()
  const names = Array.from({ length: 2500 }, (_, index) =>
    index < 1500 ? `small-${index}` : `${'large/'.repeat(600)}${index}`,
  )
  const entries = names.map((name, index) => ({
    sequence: index + 1,
    entry: { ...file!, path: parseRelativePath(name) },
  }))
  const messages = encodeAnnouncement({ entries, upTo: 2600, head: 2600 })
  expect(messages.length).toBeGreaterThan(3)
  const parts = messages.map((message) => decode(message).announcement)
  expect(parts.flatMap((part) => part.entries)).toEqual(entries)
  for (const [index, message] of messages.entries()) {
    expect(message.length).toBeLessThanOrEqual(maxAnnouncementBytes)
    expect(parts[index]!.entries.length).toBeLessThanOrEqual(1000)
    const isLast = index === messages.length - 1
    expect(parts[index]!.upTo).toBe(isLast ? 2600 : parts[index]!.entries.at(-1)?.sequence)
    expect(parts[index]!.head).toBe(2600)
  }
})

describe('a batch over the limits is refused as a whole', () => {
  test('of more than 1,000 entries, whatever is in them', () => {
    const many = (count: number) => Buffer.alloc(count * 2, Buffer.from([0x0a, 0x00]))
    expect(reasonOf(() => decode(many(1001)))).toBe('oversize-batch')
    expect(decode(many(1000)).reasons).toHaveLength(1000)
  })

  test('of more than 1 MiB', () => {
    const padding = (bytes: number) => Buffer.concat(bytesField(15, Buffer.alloc(bytes)))
    expect(reasonOf(() => decode(padding(maxAnnouncementBytes)))).toBe('oversize-batch')
    expect(decode(padding(maxAnnouncementBytes - 10)).reasons).toEqual(['unknown-field'])
  })

  test('that is no protobuf, or has sequences over 2^53', () => {
    const whole = Buffer.concat(bytesField(1, Buffer.alloc(10)))
    for (const message of [
      whole.subarray(0, -1),
      Buffer.from([0x0b]),
      Buffer.from([0x00]),
      Buffer.from([0x09, 1, 2, 3]),
      Buffer.alloc(11, 0xff),
      Buffer.concat(varintField(2, 2 ** 53)),
      Buffer.concat(varintField(3, 2 ** 60)),
    ]) {
      expect(
        reasonOf(() => decode(message)),
        message.toString('hex'),
      ).toBe('malformed-message')
    }
  })
})

const dot = (peer: string, counter: number | string) => ({
  peer: Buffer.from(peer, 'hex'),
  counter,
})
const digest = Buffer.from(sha256('x'), 'hex')
const contentDot = dot(firstPeer, 5)
const good: WireEntry = {
  sequence: 2,
  path: Buffer.from('a'),
  version: [contentDot],
  contentDot,
  mode: 0o644,
  mtimeUs: 0,
  file: { digest, sizeBytes: 1 },
}
const link = (target: Buffer, targetDigest = target) => ({
  file: null,
  symlink: { target, digest: Buffer.from(sha256(targetDigest.toString('latin1')), 'hex') },
})
const dayMs = 86_400_000
const components = (count: number) =>
  Array.from({ length: count }, (_, index) => dot(index.toString(16).padStart(16, '0'), 1))

const badEntries: readonly (readonly [string, Partial<WireEntry>, RejectionReason])[] = [
  ...['', '.', '..', 'a/../b', '/a', 'a//b', 'a/', './a', 'a\0', '.synd', 'a/.synd/b'].map(
    (path) => [`path ${JSON.stringify(path)}`, { path: Buffer.from(path) }, 'bad-path'] as const,
  ),
  ['path of 5,000 bytes', { path: Buffer.from('a/'.repeat(2500) + 'a') }, 'bad-path'],
  ['component of 256 bytes', { path: Buffer.alloc(256, 'a') }, 'bad-path'],
  ['no version', { version: [] }, 'bad-vector'],
  ['257 components', { version: [...components(256), contentDot] }, 'bad-vector'],
  ['a peer twice', { version: [contentDot, contentDot] }, 'bad-vector'],
  ['a component of zero', { version: [contentDot, dot(secondPeer, 0)] }, 'bad-vector'],
  ['a component of 2^53', { version: [contentDot, dot(secondPeer, 2 ** 53)] }, 'bad-vector'],
  [
    'a component of 2^64 - 1',
    { version: [contentDot, dot(secondPeer, '18446744073709551615')] },
    'bad-vector',
  ],
  ['a peer of 7 bytes', { version: [contentDot, dot('11111111111111', 1)] }, 'bad-vector'],
  ['a counter from tomorrow', { version: [dot(firstPeer, nowMs + dayMs + 1)] }, 'counter-ahead'],
  ['no content dot', { contentDot: null }, 'bad-dot'],
  ['a dot not covered', { contentDot: dot(firstPeer, 6) }, 'bad-dot'],
  ['a dot of a peer not in the version', { metadataDot: dot(secondPeer, 1) }, 'bad-dot'],
  ['a dot of zero', { contentDot: dot(firstPeer, 0) }, 'bad-dot'],
  ['set-id bits', { mode: 0o4755 }, 'bad-mode'],
  ['mode 07777', { mode: 0o7777 }, 'bad-mode'],
  ['mtime 2^62', { mtimeUs: (2n ** 62n).toString() }, 'bad-mtime'],
  ['mtime -2^63', { mtimeUs: (-(2n ** 63n)).toString() }, 'bad-mtime'],
  ['size 2^63', { file: { digest, sizeBytes: (2n ** 63n).toString() } }, 'bad-size'],
  ['size 2^53', { file: { digest, sizeBytes: 2 ** 53 } }, 'bad-size'],
  ['digest of 31 bytes', { file: { digest: digest.subarray(1), sizeBytes: 1 } }, 'bad-digest'],
  ['digest of 33 bytes', { file: { digest: Buffer.alloc(33), sizeBytes: 1 } }, 'bad-digest'],
  ['no digest', { file: { digest: Buffer.alloc(0), sizeBytes: 1 } }, 'bad-digest'],
  ['empty target', link(Buffer.alloc(0)), 'bad-target'],
  ['target with NUL', link(Buffer.from('a\0b')), 'bad-target'],
  ['target of 4,096 bytes', link(Buffer.alloc(4096, 'a')), 'bad-target'],
  ['digest of another target', link(Buffer.from('a'), Buffer.from('b')), 'bad-digest'],
  ['no kind', { file: null }, 'unknown-kind'],
  ['tombstone of no kind', { file: null, tombstone: { removedDigest: digest } }, 'unknown-kind'],
  [
    'tombstone of a file without digest',
    { file: null, tombstone: { removedKind: 1 } },
    'bad-digest',
  ],
  [
    'tombstone of a directory with digest',
    { file: null, tombstone: { removedKind: 2, removedDigest: digest } },
    'bad-digest',
  ],
  [
    'an entry of 40 KB',
    { version: [...components(4000)], path: Buffer.alloc(100, 'a') },
    'oversize-entry',
  ],
]

describe('a malformed entry is refused by its sequence, and the others count', () => {
  test.each(badEntries)('%s', (_, change, reason) => {
    const message = proto().Announcement.serialize({
      entries: [
        { ...good, sequence: 1 },
        { ...good, ...change },
        { ...good, sequence: 3 },
      ],
      upTo: 3,
      head: 3,
    })
    const { announcement, reasons } = decode(message)
    expect(announcement.entries.map(({ sequence }) => sequence)).toEqual([1, 3])
    expect(announcement.refused).toEqual([{ sequence: 2, code: reason }])
    expect(reasons).toEqual([reason])
  })

  test('what is unusual and legal passes', () => {
    const legal: Partial<WireEntry>[] = [
      { path: Buffer.from('a\\b') },
      { path: Buffer.from([0xff, 0xfe, 0x0a]) },
      { path: Buffer.from('a/'.repeat(2047) + 'a') },
      { path: Buffer.alloc(255, 'a') },
      { path: Buffer.from('.synda/synd') },
      { version: [...components(255), contentDot] },
      { version: [contentDot, dot(secondPeer, nowMs + dayMs)] },
      { mode: 0 },
      { mtimeUs: Number.MIN_SAFE_INTEGER },
      { file: { digest, sizeBytes: 0 } },
      link(Buffer.alloc(4095, 'a')),
      link(Buffer.from([0xff])),
    ]
    for (const change of legal) {
      const entries = [{ ...good, ...change }]
      const { announcement } = decode(proto().Announcement.serialize({ entries, upTo: 2, head: 2 }))
      expect(announcement.refused).toEqual([])
      expect(announcement.entries).toHaveLength(1)
    }
  })

  test('sequences out of order, of zero, or beyond what is told', () => {
    const sequences = [1, 3, 2, 3, 0, 2 ** 53, 9, 4]
    const entries = sequences.map((sequence) => ({ ...good, sequence }))
    const message = proto().Announcement.serialize({ entries, upTo: 4, head: 4 })
    const { announcement, reasons } = decode(message)
    expect(announcement.entries.map(({ sequence }) => sequence)).toEqual([1, 3, 4])
    expect(announcement.refused).toEqual([])
    expect(reasons).toEqual(Array.from({ length: 5 }, () => 'bad-sequence'))
  })

  test('an entry that is no protobuf', () => {
    const damaged = Buffer.concat([...varintField(1, 2), Buffer.from([0x12, 0x7f])])
    const message = Buffer.concat([
      ...bytesField(1, proto().Entry.serialize({ ...good, sequence: 1 })),
      ...bytesField(1, damaged),
      ...bytesField(1, proto().Entry.serialize({ ...good, sequence: 3 })),
      ...varintField(2, 3),
    ])
    const { announcement, reasons } = decode(message)
    expect(announcement.entries).toHaveLength(2)
    expect(announcement.refused).toEqual([{ sequence: 2, code: 'malformed-entry' }])
    expect(reasons).toEqual(['malformed-entry'])
  })
})

test('fields that a later version has are ignored and counted', () => {
  const later = Buffer.concat([
    proto().Entry.serialize({ ...good, sequence: 1 }),
    ...bytesField(30, Buffer.from('xattrs')),
  ])
  const message = Buffer.concat([
    ...bytesField(1, later),
    ...varintField(2, 1),
    ...varintField(9, 1),
  ])
  const { announcement, reasons } = decode(message)
  expect(announcement.entries).toHaveLength(1)
  expect(reasons).toEqual(['unknown-field', 'unknown-field'])
})

test('noise never does more than refuse', () => {
  check(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const message = Buffer.concat([Buffer.from([0x0a, bytes.length & 0x7f]), bytes])
      for (const noise of [Buffer.from(bytes), message]) {
        const reason = reasonOf(() => decode(noise))
        expect([null, 'malformed-message', 'oversize-batch']).toContain(reason)
      }
    }),
    { runs: 500 },
  )
})

test('fields are taken apart as they were put together', () => {
  check(
    fc.property(
      fc.array(
        fc.record({
          number: fc.integer({ min: 1, max: 2 ** 29 - 1 }),
          content: fc.oneof(fc.maxSafeNat(), fc.uint8Array()),
        }),
      ),
      (fields) => {
        const parts = fields.flatMap(({ number, content }) =>
          typeof content === 'number'
            ? varintField(number, content)
            : bytesField(number, Buffer.from(content)),
        )
        const read = Array.from(fieldsOf(Buffer.concat(parts)), ({ number, bytes, value }) => ({
          number,
          content: bytes === null ? value : new Uint8Array(bytes),
        }))
        expect(read).toEqual(fields)
      },
    ),
  )
})
