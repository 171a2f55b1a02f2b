import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeAnnouncement } from '../../src/rpc/wire-announcement.ts'
import { FakeEngine } from '../conformance/fake-engine.ts'
import { RawClient } from './raw-client.ts'
import { endHeaders, frame, frameTypes, grpcHeaders, openWire, type Wire } from './raw-http2.ts'
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
 * What waits where when one side does not read. Floods of every other kind are in test/attacks, against a process of its own; here the client
 * of the attack lives in the same process, so that the bound on memory is wider than what the attack may cost.
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

/** Opens a stream for announcements, as bytes of HTTP/2. */
async function openStream(): Promise<Wire> {
  const wire = await openWire(network.port, member)
  const client = new RawClient({ port: network.port, identity: member })
  const session = await client.session()
  client.close()
  const headers = { 'synd-session-bin': session.toString('base64') }
  const payload = grpcHeaders('/synd.v1.Synd/Notify', headers)
  await wire.say(frame(frameTypes.headers, { flags: endHeaders, stream: 1, payload }))
  return wire
}

test('a million tiny messages to an engine that does not read stay where they are', async () => {
  engine.takes = 'nothing'
  const wire = await openStream()
  await until(() => engine.inbound.length === 1)
  const before = residentBytes()
  let isEnough = false
  const flood = wire.pour(Buffer.alloc(5_000_000), () => isEnough)
  engine.takes = 'everything'
  expect(await serve()).toBeLessThan(10_000)
  expect(residentBytes() - before).toBeLessThan(maxGrowthBytes)
  isEnough = true
  await flood
  wire.socket.destroy()
})

test('replies to a peer that does not read wait at the sender', async () => {
  const { socket } = await openStream()
  socket.pause()
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
