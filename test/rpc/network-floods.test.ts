import { connect, type TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { contextOptions } from '../../src/rpc/credentials.ts'
import { encodeAnnouncement } from '../../src/rpc/wire-announcement.ts'
import { FakeEngine } from '../conformance/fake-engine.ts'
import { RawClient } from './raw-client.ts'
import { until } from './real-time.ts'
import { sampleEntries, sampleHello } from './samples.ts'
import {
  authorizeEachOther,
  makeIdentity,
  openNetwork,
  type Identity,
  type TestNetwork,
} from './world.ts'

/*
 * What a member gone bad can do with HTTP/2 frames of its own making (RFC 9113). Strangers do not get this far. The client of the attack
 * lives in this process too, so that the bound on memory is wider than what the attack may cost.
 */

let member: Identity
let engine: FakeEngine
let network: TestNetwork

beforeEach(async () => {
  const own = await makeIdentity()
  member = await makeIdentity()
  await authorizeEachOther(own, member)
  engine = new FakeEngine('own')
  network = openNetwork(own.credentials)
  await network.start(engine)
})
afterEach(() => network.stop())

const maxGrowthBytes = 80 * 1024 * 1024

function residentBytes(): number {
  globalThis.gc?.()
  return process.memoryUsage().rss
}

/** An honest peer is served; returns how long that took. */
async function serve(): Promise<number> {
  const sinceMs = performance.now()
  const client = new RawClient({ port: network.port, identity: member })
  const before = engine.received.length
  const stream = client.notify(await client.session(sampleHello({ name: 'honest' })))
  stream.on('error', () => {})
  const [entry] = sampleEntries()
  const entries = [{ sequence: 1, entry: entry! }]
  stream.write(encodeAnnouncement({ entries, upTo: 1, head: 1 })[0]!)
  const isServed = () => engine.received.slice(before).some(({ entries }) => entries.length === 1)
  await until(isServed)
  stream.cancel()
  client.close()
  return performance.now() - sinceMs
}

const frames = { data: 0, headers: 1, reset: 3, settings: 4, windowUpdate: 8, continuation: 9 }

function frame(
  type: number,
  options: { flags?: number; stream?: number; payload?: Buffer } = {},
): Buffer {
  const { flags = 0, stream = 0, payload = Buffer.alloc(0) } = options
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header.writeUInt8(type, 3)
  header.writeUInt8(flags, 4)
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}

const endHeaders = 4

/** HPACK (RFC 7541): literals without indexing. */
function literal(name: string, value: string): Buffer {
  const length = (text: string) =>
    text.length < 127 ? Buffer.of(text.length) : Buffer.of(127, text.length - 127)
  return Buffer.concat([
    Buffer.of(0),
    length(name),
    Buffer.from(name),
    length(value),
    Buffer.from(value),
  ])
}

function grpcHeaders(path: string, more: Record<string, string> = {}): Buffer {
  const headers = {
    ':method': 'POST',
    ':scheme': 'https',
    ':authority': 'synd',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...more,
  }
  return Buffer.concat(Object.entries(headers).map(([name, value]) => literal(name, value)))
}

/** A member's TLS connection on which anything may be said; HTTP/2 has begun. */
async function openWire(): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port: network.port,
    servername: 'synd',
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
    ...contextOptions(member.credentials),
  })
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.on('secureConnect', () => resolve()))
  socket.resume()
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(frame(frames.settings))
  return socket
}

/** Opens a stream for announcements, as bytes of HTTP/2. */
async function openStream(socket: TLSSocket, more: Record<string, string> = {}): Promise<void> {
  const client = new RawClient({ port: network.port, identity: member })
  const session = await client.session()
  client.close()
  const headers = { 'synd-session-bin': session.toString('base64'), ...more }
  const payload = grpcHeaders('/synd.v1.Synd/Notify', headers)
  socket.write(frame(frames.headers, { flags: endHeaders, stream: 1, payload }))
}

function closed(socket: TLSSocket): () => boolean {
  let isClosed = false
  socket.on('close', () => {
    isClosed = true
  })
  return () => isClosed
}

test('10,000 streams opened and reset close the connection', async () => {
  const socket = await openWire()
  const isClosed = closed(socket)
  const payload = grpcHeaders('/synd.v1.Synd/Hello')
  for (let index = 0; index < 10_000; index++) {
    const stream = 2 * index + 1
    socket.write(frame(frames.headers, { flags: endHeaders, stream, payload }))
    socket.write(frame(frames.reset, { stream, payload: Buffer.from([0, 0, 0, 8]) }))
  }
  expect(await serve()).toBeLessThan(10_000)
  await until(isClosed)
})

test('10,000 idle streams are refused beyond a few', async () => {
  const socket = await openWire()
  const before = residentBytes()
  const payload = grpcHeaders('/synd.v1.Synd/Hello')
  for (let index = 0; index < 10_000; index++) {
    socket.write(frame(frames.headers, { flags: endHeaders, stream: 2 * index + 1, payload }))
  }
  expect(await serve()).toBeLessThan(10_000)
  expect(residentBytes() - before).toBeLessThan(maxGrowthBytes)
  socket.destroy()
})

test('16 MB of headers close the connection', async () => {
  const socket = await openWire()
  const isClosed = closed(socket)
  const before = residentBytes()
  const piece = literal('x-large', 'v'.repeat(200))
  const payload = Buffer.concat(Array.from({ length: 70 }, () => piece))
  socket.write(frame(frames.headers, { stream: 1, payload: grpcHeaders('/synd.v1.Synd/Hello') }))
  for (let index = 0; index < 1000 && !isClosed(); index++) {
    socket.write(frame(frames.continuation, { stream: 1, payload }))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until(isClosed)
  expect(residentBytes() - before).toBeLessThan(maxGrowthBytes)
  expect(engine.callers).toEqual([])
  await serve()
})

test('a million tiny messages to an engine that does not read stay where they are', async () => {
  engine.takes = 'nothing'
  const socket = await openWire()
  await openStream(socket)
  await until(() => engine.inbound.length === 1)
  const before = residentBytes()
  // Each an empty announcement: five zero bytes. More than the window allows is a breach of HTTP/2 that ends the connection.
  const isClosed = closed(socket)
  for (let index = 0; index < 500 && !isClosed(); index++) {
    socket.write(frame(frames.data, { stream: 1, payload: Buffer.alloc(10_000) }))
    await new Promise((resolve) => setImmediate(resolve))
  }
  engine.takes = 'everything'
  expect(await serve()).toBeLessThan(10_000)
  expect(residentBytes() - before).toBeLessThan(maxGrowthBytes)
  socket.destroy()
})

test('two hundred thousand tiny messages that are read keep no other peer waiting', async () => {
  const client = new RawClient({ port: network.port, identity: member })
  const stream = client.notify(await client.session())
  stream.on('error', () => {})
  const enough = new AbortController()
  let written = 0
  const flood = async () => {
    while (!enough.signal.aborted && written < 200_000) {
      written++
      if (!stream.write(Buffer.alloc(0)))
        await new Promise((resolve) => stream.once('drain', resolve))
    }
  }
  const flooding = flood()
  await until(() => engine.received.length > 1000)
  const durations = [await serve(), await serve(), await serve()]
  enough.abort()
  await flooding
  stream.cancel()
  client.close()
  expect(Math.min(...durations)).toBeLessThan(2000)
})

test('a gzip bomb is not unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
  const prefix = Buffer.alloc(5)
  prefix.writeUInt8(1)
  prefix.writeUInt32BE(bomb.length, 1)
  const message = Buffer.concat([prefix, bomb])
  const socket = await openWire()
  await openStream(socket, { 'grpc-encoding': 'gzip' })
  await until(() => engine.inbound.length === 1)
  const before = residentBytes()
  for (let at = 0; at < message.length; at += 16_000) {
    const payload = message.subarray(at, at + 16_000)
    socket.write(frame(frames.data, { stream: 1, payload }))
    const credit = Buffer.from([0, 0, 0x40, 0])
    socket.write(frame(frames.windowUpdate, { stream: 0, payload: credit }))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await until(() => engine.ended.length === 1)
  expect(residentBytes() - before).toBeLessThan(maxGrowthBytes)
  expect(engine.received).toEqual([])
  socket.destroy()
  await serve()
})

test('replies to a peer that does not read wait at the sender', async () => {
  const socket = await openWire()
  socket.pause()
  await openStream(socket)
  await until(() => engine.inbound.length === 1)
  const before = residentBytes()
  let sent = 0
  const ranges = Array.from({ length: 1000 }, (_, index) => ({
    from: index + 1,
    to: index + 1,
    outcome: { kind: 'failed' as const, code: 'disk-full' },
  }))
  const replying = (async () => {
    for (; sent < 10_000; sent++) {
      await engine.inbound[0]!.reply({ kind: 'acknowledgement', recordedUpTo: 1, ranges })
    }
  })()
  await serve()
  await serve()
  expect(sent).toBeLessThan(2000)
  expect(residentBytes() - before).toBeLessThan(maxGrowthBytes)
  socket.destroy()
  await expect(replying).rejects.toMatchObject({ code: 'unreachable' })
})
