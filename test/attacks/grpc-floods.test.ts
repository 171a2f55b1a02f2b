import { connect } from 'node:net'
import { createGzip } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../e2e/wait.ts'
import { bytesField, varintField } from '../../src/rpc/protobuf-fields.ts'
import { encodeAnnouncement } from '../../src/rpc/wire-announcement.ts'
import {
  endHeaders,
  frame,
  frameTypes,
  grpcHeaders,
  literal,
  openWire,
  type Wire,
} from '../rpc/raw-http2.ts'
import { besiege, type Siege } from './siege.ts'

/*
 * What a member gone bad can do with HTTP/2 frames of its own making (RFC 9113), to a real sidecar with a real peer. Strangers do not get
 * this far: they are refused by TLS (test/rpc/network-trust.test.ts).
 */

let siege: Siege
let slow: Wire
let drip: NodeJS.Timeout

beforeAll(async () => {
  siege = await besiege()
  slow = await wire()
  const begin = grpcHeaders('/synd.v1.Synd/Hello')
  await slow.say(frame(frameTypes.headers, { stream: 1, payload: begin }))
  drip = setInterval(() => {
    const payload = literal('x', 'y')
    if (!slow.isClosed()) void slow.say(frame(frameTypes.continuation, { stream: 1, payload }))
  }, 2000)
})
afterAll(async () => {
  clearInterval(drip)
  await siege.stop()
})

const wire = (): Promise<Wire> => openWire(siege.victim.ports.grpc, siege.attacker.identity)
const helloHeaders = grpcHeaders('/synd.v1.Synd/Hello')

/** Opens stream 1 for announcements, as bytes of HTTP/2. */
async function openStream(more: Record<string, string> = {}): Promise<Wire> {
  const opened = await wire()
  const client = siege.attacker.client(siege.victim.ports.grpc)
  const session = await client.session()
  client.close()
  const headers = { 'synd-session-bin': session.toString('base64'), ...more }
  const payload = grpcHeaders('/synd.v1.Synd/Notify', headers)
  await opened.say(frame(frameTypes.headers, { flags: endHeaders, stream: 1, payload }))
  return opened
}

/** A gRPC message: a flag for compression, the length, the content. */
function message(content: Buffer, { flag = 0 } = {}): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt8(flag)
  prefix.writeUInt32BE(content.length, 1)
  return Buffer.concat([prefix, content])
}

/** Says parts of bytes one after the other until the connection is gone. */
async function say(to: Wire, count: number, part: (index: number) => Buffer): Promise<void> {
  for (let index = 0; index < count && !to.isClosed(); index++) {
    await to.say(part(index))
    if (index % 100 === 99) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A member's connection with 10,000 streams that say nothing. */
async function idleStreams(): Promise<{ attack: Wire; flood: Promise<void> }> {
  const attack = await wire()
  const flood = say(attack, 10_000, (index) =>
    frame(frameTypes.headers, {
      flags: endHeaders,
      stream: 2 * index + 1,
      payload: helloHeaders,
    }),
  )
  return { attack, flood }
}

async function untilClosed(closing: Wire): Promise<void> {
  await until(() => (closing.isClosed() ? null : 'the connection is open'))
}

describe('frames', () => {
  test('of 10,000 streams opened and reset end the connection', async () => {
    const memory = siege.watchMemory()
    const before = await siege.rejected('grpc', 'http2')
    const attack = await wire()
    const flood = say(attack, 10_000, (index) => {
      const stream = 2 * index + 1
      return Buffer.concat([
        frame(frameTypes.headers, { flags: endHeaders, stream, payload: helloHeaders }),
        frame(frameTypes.reset, { stream, payload: Buffer.from([0, 0, 0, 8]) }),
      ])
    })
    await siege.expectServed()
    await flood
    await untilClosed(attack)
    await siege.untilRejected('grpc', 'http2', before + 1)
    memory.expectSmall()
  })

  test('of 10,000 idle streams end the connection', async () => {
    const memory = siege.watchMemory()
    const before = await siege.rejected('grpc', 'http2')
    const { attack, flood } = await idleStreams()
    await siege.expectServed()
    await flood
    await untilClosed(attack)
    await siege.untilRejected('grpc', 'http2', before + 1)
    memory.expectSmall()
  })

  // Node tells of an error at the socket only if the peer has not closed its side first: about one in four had.
  test('are counted once for each connection that they end', async () => {
    const before = await siege.rejected('grpc', 'http2')
    const attacks = 40
    for (let count = 0; count < attacks; count++) {
      const { attack, flood } = await idleStreams()
      await flood
      await untilClosed(attack)
    }
    await siege.untilRejected('grpc', 'http2', before + attacks)
    expect(await siege.rejected('grpc', 'http2')).toBe(before + attacks)
  })

  test('of 16 MB of headers end the connection', async () => {
    const memory = siege.watchMemory()
    const before = await siege.rejected('grpc', 'http2')
    const attack = await wire()
    const piece = literal('x-large', 'v'.repeat(200))
    const payload = Buffer.concat(Array.from({ length: 70 }, () => piece))
    await attack.say(frame(frameTypes.headers, { stream: 1, payload: helloHeaders }))
    const flood = say(attack, 1100, () => frame(frameTypes.continuation, { stream: 1, payload }))
    await siege.expectServed()
    await flood
    await untilClosed(attack)
    await siege.untilRejected('grpc', 'http2', before + 1)
    memory.expectSmall()
  })

  test.each([
    [
      'data of a stream that was never opened',
      frame(frameTypes.data, { stream: 7, payload: Buffer.alloc(10) }),
    ],
    ['settings of the wrong length', frame(frameTypes.settings, { payload: Buffer.alloc(5) })],
    ['a push promise', frame(5, { stream: 1, payload: Buffer.alloc(20) })],
    ['a block that is no HPACK', frame(1, { flags: 5, stream: 1, payload: Buffer.alloc(9, 0xff) })],
    ['16 MB', Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])],
    ['noise', Buffer.alloc(100_000, 0xa5)],
  ])('of %s end the connection too', async (_, bytes) => {
    const before = await siege.rejected('grpc', 'http2')
    const attack = await wire()
    await attack.say(bytes)
    await untilClosed(attack)
    await siege.expectServed()
    await siege.untilRejected('grpc', 'http2', before + 1)
  })
})

describe('messages', () => {
  test('a million that are empty end their stream after a thousand', async () => {
    const memory = siege.watchMemory()
    const attack = await openStream()
    const flood = attack.pour(Buffer.alloc(5 * 1_000_000))
    await siege.expectServed()
    await siege.untilRejected('grpc', 'no-news')
    await flood
    attack.socket.destroy()
    memory.expectSmall()
  })

  test('tiny ones without end, each of a little news, wait until they are taken', async () => {
    const memory = siege.watchMemory()
    const attack = await openStream()
    let isEnough = false
    const one = (upTo: number) => message(encodeAnnouncement({ entries: [], upTo, head: upTo })[0]!)
    const many = Buffer.concat(Array.from({ length: 30_000 }, (_, index) => one(index)))
    const flood = attack.pour(many, () => isEnough)
    for (let count = 0; count < 3; count++) await siege.expectServed()
    isEnough = true
    await flood
    attack.socket.destroy()
    memory.expectSmall()
  })

  test('without end, whose answers are not read, wait too', async () => {
    const memory = siege.watchMemory()
    const attack = await openStream()
    attack.socket.pause()
    // Each is answered with a thousand ranges; while nobody takes the answers the next is not read.
    const refused = Buffer.concat(
      Array.from({ length: 999 }, (_, index) =>
        Buffer.concat(bytesField(1, Buffer.concat(varintField(1, 2 * index + 1)))),
      ),
    )
    const one = (upTo: number) => message(Buffer.concat([refused, ...varintField(2, upTo)]))
    const many = Buffer.concat(Array.from({ length: 3000 }, (_, index) => one(2000 + index)))
    let isOver = false
    const flood = attack.pour(many, () => isOver)
    for (let count = 0; count < 3; count++) await siege.expectServed()
    isOver = true
    await flood
    attack.socket.destroy()
    memory.expectSmall()
  })

  test('of a gzip bomb of a quarter of a gigabyte are not unpacked', async () => {
    const memory = siege.watchMemory()
    const before = await siege.rejected('grpc', 'oversize-message')
    const attack = await openStream({ 'grpc-encoding': 'gzip' })
    const flood = attack.pour(message(await bomb(256), { flag: 1 }))
    await siege.expectServed()
    await siege.untilRejected('grpc', 'oversize-message', before + 1)
    attack.socket.destroy()
    await flood
    memory.expectSmall()
  })

  test.each([
    [
      'that are no gzip',
      { 'grpc-encoding': 'gzip' },
      message(Buffer.alloc(1000, 1), { flag: 1 }),
      'malformed-message',
    ],
    [
      'packed in an unknown way',
      { 'grpc-encoding': 'zstd' },
      message(Buffer.alloc(1000, 1), { flag: 1 }),
      'malformed-message',
    ],
    ['of 4 GB', {}, Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), 'oversize-message'],
    ['that are no protobuf', {}, message(Buffer.alloc(1000, 0xff)), 'malformed-message'],
  ])('%s end their stream', async (_, headers: Record<string, string>, bytes, reason) => {
    const before = await siege.rejected('grpc', reason)
    const attack = await openStream(headers)
    void attack.pour(bytes)
    await siege.untilRejected('grpc', reason, before + 1)
    attack.socket.destroy()
  })
})

describe('connections', () => {
  test('a thousand that say nothing keep nobody waiting', async () => {
    const sockets = Array.from({ length: 1000 }, () =>
      connect({ port: siege.victim.ports.grpc, host: '127.0.0.1' }).on('error', () => {}),
    )
    await siege.expectServed()
    await siege.untilRejected('grpc', 'too-many-connections', 700)
    for (const socket of sockets) socket.destroy()
  })

  test('with headers that come bit by bit are closed', async () => {
    await until(() => (slow.isClosed() ? null : 'it is open'), { deadlineMs: 58_000 })
    await siege.expectServed()
  })
})

/** Zeros, so many MiB of them, packed. */
async function bomb(mebibytes: number): Promise<Buffer> {
  const gzip = createGzip()
  const parts: Buffer[] = []
  gzip.on('data', (part: Buffer) => parts.push(part))
  const mebibyte = Buffer.alloc(1024 * 1024)
  for (let count = 0; count < mebibytes; count++)
    await new Promise<void>((resolve) => gzip.write(mebibyte, () => resolve()))
  await new Promise<void>((resolve) => gzip.on('end', resolve).end())
  return Buffer.concat(parts)
}
