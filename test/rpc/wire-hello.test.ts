import { describe, expect, test } from 'vitest'
import type { SourceOffer } from '../../src/core/protocol.ts'
import type { Introduction } from '../../src/rpc/generated/synd/v1/Introduction.ts'
import { proto } from '../../src/rpc/proto.ts'
import { Rejection } from '../../src/rpc/rejection.ts'
import { decodeAnswer, decodeHello, encodeAnswer, encodeHello } from '../../src/rpc/wire-hello.ts'
import { sampleAnswer, sampleHello } from './samples.ts'

const sources: readonly SourceOffer[] = [
  { kind: 'embedded', port: 65_535 },
  { kind: 'none' },
  { kind: 'openssh', host: 'nas.example', port: 22, user: 'sync', root: '/srv/dätä' },
]

test('what a peer says of itself arrives as it was said', () => {
  for (const source of sources) {
    for (const mode of ['send-receive', 'send-only', 'receive-only'] as const) {
      const hello = sampleHello({ source, mode, joining: true, name: 'höst "a"' })
      expect(decodeHello(encodeHello(hello))).toEqual(hello)
    }
  }
})

test('the answer brings the session', () => {
  const session = Buffer.alloc(16, 7)
  for (const listsCaller of ['yes', 'no', 'unknown'] as const) {
    const answer = sampleAnswer({ listsCaller })
    expect(decodeAnswer(encodeAnswer(answer, session))).toEqual({ answer, session })
  }
})

test('a name loses what a terminal would obey', () => {
  const hello = sampleHello({ name: `a\u001b[31m\n\u202e${'x'.repeat(300)}` })
  const { name } = decodeHello(encodeHello(hello))
  expect(name).toMatch(/^a\?\[31m\?\?x+$/)
  expect(name).toHaveLength(255)
})

describe('an introduction is refused', () => {
  const id = Buffer.alloc(8, 1)
  const good: Introduction = { protocolVersions: [1], peerId: id, epoch: id, mode: 1 }
  const record = { peerId: id, epoch: id, sequence: 1 }
  const openssh = { host: 'nas', port: 22, user: 'sync', root: Buffer.from('/srv') }
  const bad: readonly (readonly [string, Introduction | null, string])[] = [
    ['that is missing', null, 'malformed-hello'],
    ['of no version', { ...good, protocolVersions: [] }, 'protocol-version'],
    ['of later versions only', { ...good, protocolVersions: [2, 3] }, 'protocol-version'],
    ['of 100 versions', { ...good, protocolVersions: Array(100).fill(1) }, 'malformed-hello'],
    ['with an id of 7 bytes', { ...good, peerId: id.subarray(1) }, 'malformed-hello'],
    ['with an epoch of 9 bytes', { ...good, epoch: Buffer.alloc(9) }, 'malformed-hello'],
    ['of no mode', { ...good, mode: 0 }, 'malformed-hello'],
    [
      'of 257 records',
      { ...good, recorded: Array.from({ length: 257 }, () => record) },
      'malformed-hello',
    ],
    [
      'with a record beyond 2^53',
      { ...good, recorded: [{ ...record, sequence: '9007199254740993' }] },
      'malformed-hello',
    ],
    ['with port 0', { ...good, source: { embedded: { port: 0 } } }, 'malformed-hello'],
    ['with port 65,536', { ...good, source: { embedded: { port: 65_536 } } }, 'malformed-hello'],
    ...[{ host: '-oProxyCommand=x y' }, { user: '-l' }, { root: Buffer.from('srv') }].map(
      (change) =>
        [
          `with ${Object.keys(change).join('')} ${String(Object.values(change)[0])}`,
          { ...good, source: { openssh: { ...openssh, ...change } } },
          'malformed-hello',
        ] as const,
    ),
  ]
  test.each(bad)('%s', (_, introduction, reason) => {
    const message = proto().HelloRequest.serialize({ introduction })
    expect(() => decodeHello(message)).toThrow(expect.objectContaining({ reason }))
  })

  test('that is no protobuf or far too large', () => {
    expect(() => decodeHello(Buffer.from([0xff]))).toThrow(Rejection)
    expect(() => decodeHello(Buffer.alloc(70_000))).toThrow(/70000 bytes/)
    expect(() => decodeAnswer(encodeAnswer(sampleAnswer(), Buffer.alloc(3)))).toThrow(Rejection)
  })

  test('but one with fields, versions and sources that a later version has is not', () => {
    const message = Buffer.concat([
      proto().HelloRequest.serialize({ introduction: { ...good, protocolVersions: [1, 2] } }),
      Buffer.from([0xfa, 0x01, 0x01, 0x00]),
    ])
    expect(decodeHello(message)).toMatchObject({
      protocolVersions: [1, 2],
      source: { kind: 'none' },
    })
  })
})
