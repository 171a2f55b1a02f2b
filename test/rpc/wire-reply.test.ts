import { expect, test } from 'vitest'
import type { Outcome, OutcomeRange, Reply } from '../../src/core/protocol.ts'
import { proto } from '../../src/rpc/proto.ts'
import { Rejection } from '../../src/rpc/rejection.ts'
import { decodeReply, encodeReply } from '../../src/rpc/wire-reply.ts'

const outcomes: readonly Outcome[] = [
  { kind: 'applied' },
  { kind: 'not-wanted' },
  { kind: 'failed', code: 'disk-full' },
  { kind: 'refused', code: 'bad-path' },
]

function decode(message: Buffer): Reply | null {
  return decodeReply(message, () => {})
}

test('replies arrive as they were sent', () => {
  const ranges = outcomes.map((outcome, index) => ({ from: index + 1, to: index + 1, outcome }))
  const replies: readonly Reply[] = [
    { kind: 'acknowledgement', recordedUpTo: Number.MAX_SAFE_INTEGER, ranges },
    { kind: 'acknowledgement', recordedUpTo: 0, ranges: [] },
    { kind: 'settled', sequence: 0 },
    { kind: 'settled', sequence: Number.MAX_SAFE_INTEGER },
    { kind: 'diverged', paths: 0 },
    { kind: 'diverged', paths: 100_000 },
  ]
  for (const reply of replies) expect(encodeReply(reply).map(decode)).toEqual([reply])
})

test('an acknowledgement of many ranges takes several messages', () => {
  const ranges = Array.from({ length: 2500 }, (_, index): OutcomeRange => {
    const from = index * 2 + 1
    return { from, to: from + 1, outcome: { kind: 'failed', code: 'x'.repeat(40) } }
  })
  const messages = encodeReply({ kind: 'acknowledgement', recordedUpTo: 9, ranges })
  expect(messages).toHaveLength(3)
  for (const message of messages) expect(message.length).toBeLessThan(100_000)
  const read = messages.map(decode)
  expect(read.flatMap((reply) => (reply?.kind === 'acknowledgement' ? reply.ranges : []))).toEqual(
    ranges,
  )
})

test('a kind of a later version is ignored and counted, an outcome counts as failed', () => {
  const reasons: string[] = []
  const later = Buffer.from([0x7a, 0x00])
  expect(decodeReply(later, (_, reason) => reasons.push(reason))).toBeNull()
  expect(reasons).toEqual(['unknown-kind'])
  const ranges = [{ first: 1, last: 2, outcome: 9 as 0, code: 'New\nThing' }]
  const reply = decode(proto().Reply.serialize({ acknowledgement: { ranges } }))
  expect(reply).toMatchObject({
    ranges: [{ from: 1, to: 2, outcome: { kind: 'failed', code: 'unknown' } }],
  })
})

test('malformed replies are refused', () => {
  const range = { first: 1, last: 1, outcome: 1 as const }
  for (const acknowledgement of [
    { ranges: [{ ...range, first: 0 }] },
    { ranges: [{ ...range, first: 2 }] },
    { ranges: [{ ...range, last: '18446744073709551615' }] },
    { recordedUpTo: '9007199254740993' },
    { ranges: Array.from({ length: 1001 }, () => range) },
  ]) {
    const message = proto().Reply.serialize({ acknowledgement })
    expect(() => decode(message)).toThrow(Rejection)
  }
  expect(() => decode(Buffer.from([0x0a, 0x7f]))).toThrow(Rejection)
})
