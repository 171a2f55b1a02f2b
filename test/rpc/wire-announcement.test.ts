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
import { badEntries, components, contentDot, dot, goodEntry as good, link } from './bad-entries.ts'
import { firstPeer, sampleEntries, secondPeer, sha256 } from './samples.ts'

const nowMs = 1_700_000_000_000
const dayMs = 86_400_000
const digest = Buffer.from(sha256('x'), 'hex')

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

  test('a counter that is a day and a millisecond ahead of the clock', () => {
    const version = [dot(firstPeer, nowMs + dayMs + 1)]
    const entries = [{ ...good, version, contentDot: version[0] ?? null }]
    const { reasons } = decode(proto().Announcement.serialize({ entries, upTo: 2, head: 2 }))
    expect(reasons).toEqual(['counter-ahead'])
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
