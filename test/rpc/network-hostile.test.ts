import { Metadata, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SyndError } from '../../src/core/errors.ts'
import { proto } from '../../src/rpc/proto.ts'
import { encodeAnnouncement } from '../../src/rpc/wire-announcement.ts'
import { encodeHello } from '../../src/rpc/wire-hello.ts'
import { FakeEngine } from '../conformance/fake-engine.ts'
import { RawClient, refusalOf, statusOf } from './raw-client.ts'
import { until } from './real-time.ts'
import { sampleEntries, sampleHello } from './samples.ts'
import {
  authorizeEachOther,
  makeIdentity,
  openNetwork,
  type Identity,
  type TestNetwork,
} from './world.ts'

let own: Identity
let member: Identity
let engine: FakeEngine
let network: TestNetwork
let raw: RawClient

beforeEach(async () => {
  own = await makeIdentity()
  member = await makeIdentity()
  await authorizeEachOther(own, member)
  engine = new FakeEngine('own')
  network = openNetwork(own.credentials)
  await network.start(engine)
  raw = new RawClient({ port: network.port, identity: member })
})
afterEach(async () => {
  raw.close()
  await network.stop()
})

/** An honest peer is served. */
async function expectServed(): Promise<void> {
  const client = new RawClient({ port: network.port, identity: member })
  const before = engine.received.length
  const stream = client.notify(await client.session())
  stream.on('error', () => {})
  const [entry] = sampleEntries()
  const entries = [{ sequence: 1, entry: entry! }]
  stream.write(encodeAnnouncement({ entries, upTo: 1, head: 1 })[0]!)
  await until(() => engine.received.length > before)
  stream.cancel()
  client.close()
}

const helloPath = '/synd.v1.Synd/Hello'

describe('a Hello that is refused is counted, and says why', () => {
  test('when it is malformed', async () => {
    expect(await raw.call(helloPath, Buffer.from([0xff]))).toBe(status.INVALID_ARGUMENT)
    expect(await raw.call(helloPath, Buffer.alloc(0))).toBe(status.INVALID_ARGUMENT)
    expect(await raw.call(helloPath, Buffer.alloc(100_000))).toBe(status.INVALID_ARGUMENT)
    expect(network.reasons).toEqual(Array.from({ length: 3 }, () => 'malformed-hello'))
  })

  test('when its protocol is another', async () => {
    const hello = encodeHello(sampleHello({ protocolVersions: [9] }))
    expect(await raw.call(helloPath, hello)).toBe(status.FAILED_PRECONDITION)
    expect(network.reasons).toEqual(['protocol-version'])
  })

  test('when the engine does not want it, such as for the id of another key', async () => {
    engine.refusal = new SyndError('untrusted', 'peer id belongs to another key \ud800')
    expect(await raw.call(helloPath, encodeHello(sampleHello()))).toBe(status.PERMISSION_DENIED)
    engine.refusal = new SyndError('protocol', 'too old')
    expect(await raw.call(helloPath, encodeHello(sampleHello()))).toBe(status.FAILED_PRECONDITION)
    expect(network.reasons).toEqual(['hello-refused', 'hello-refused'])
  })

  test('what failed in us is told nobody, and kills nothing', async () => {
    const cause = new Error('secret cause')
    for (const failure of [
      new SyndError('io', 'secret path', { cause }),
      new Error('secret bug'),
    ]) {
      engine.refusal = failure
      const told = await raw.refusal(helloPath, encodeHello(sampleHello()))
      expect(told).toMatch(new RegExp(`^${status.INTERNAL} internal error `))
      expect(told).not.toMatch(/secret|Error|\.ts/)
    }
    expect(network.logged.join()).toContain('error call failed')
    engine.refusal = null
    await expectServed()
  })

  test('nor is what failed in us while a stream runs', async () => {
    const stream = raw.notify(await raw.session())
    const ended = refusalOf(stream)
    await until(() => engine.inbound.length === 1)
    engine.fail(new SyndError('io', 'secret path', { cause: new Error('secret cause') }))
    expect(await ended).not.toMatch(/secret|Error|\.ts/)
    await until(() => network.logged.join().includes('the stream of a peer failed'))
    await expectServed()
  })
})

describe('a stream needs the Hello of its own key, made for it', () => {
  test('none, a made-up one, and one used before', async () => {
    expect(await statusOf(raw.notify(null))).toBe(status.UNAUTHENTICATED)
    expect(await statusOf(raw.notify(Buffer.alloc(16)))).toBe(status.UNAUTHENTICATED)
    const session = await raw.session()
    const first = raw.notify(session)
    first.on('error', () => {})
    await until(() => engine.inbound.length === 1)
    expect(await statusOf(raw.notify(session))).toBe(status.UNAUTHENTICATED)
    expect(network.reasons).toEqual(['no-session', 'no-session', 'no-session'])
    expect(engine.ended).toEqual([])
  })

  test('another member cannot take the stream of the first', async () => {
    const other = await makeIdentity()
    other.authorize(own, other)
    await until(() => other.credentials.current().anchorsPem.length === 2)
    own.authorize(own, member, other)
    await until(() => own.credentials.current().anchorsPem.length === 3)
    const session = await raw.session()
    const thief = new RawClient({ port: network.port, identity: other })
    expect(await statusOf(thief.notify(session))).toBe(status.UNAUTHENTICATED)
    const stream = raw.notify(session)
    stream.on('error', () => {})
    await until(() => engine.inbound.length === 1)
    expect(engine.inbound[0]?.key).toBe(member.key)
    thief.close()
  })

  test('no other method, no reflection, no channelz: each is counted', async () => {
    const paths = [
      '/synd.v1.Synd/Nothing',
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      '/grpc.channelz.v1.Channelz/GetServers',
    ]
    // What comes to another peer of this process is not ours.
    const other = openNetwork(member.credentials)
    await other.start(new FakeEngine('member'))
    for (const path of paths)
      expect(await raw.call(path, Buffer.alloc(0))).toBe(status.UNIMPLEMENTED)
    expect(network.reasons).toEqual(paths.map(() => 'unknown-method'))
    await expectServed()
    expect(network.reasons).toHaveLength(paths.length)
    expect(other.reasons).toEqual([])
    await other.stop()
  })
})

describe('a batch over the limits ends its stream', () => {
  test('of more than 1,000 entries or 1 MiB with INVALID_ARGUMENT', async () => {
    const many = Buffer.alloc(2002, Buffer.from([0x0a, 0x00]))
    expect(await raw.tell([many])).toBe(status.INVALID_ARGUMENT)
    expect(await raw.tell([Buffer.alloc(1024 * 1024 + 1)])).toBe(status.INVALID_ARGUMENT)
    expect(await raw.tell([Buffer.from([0xff, 0xff])])).toBe(status.INVALID_ARGUMENT)
    expect(network.reasons).toEqual(['oversize-batch', 'oversize-batch', 'malformed-message'])
    await until(() => engine.ended.length === 3)
  })

  test('over the message limit with RESOURCE_EXHAUSTED', async () => {
    expect(await raw.tell([Buffer.alloc(3 * 1024 * 1024)])).toBe(status.RESOURCE_EXHAUSTED)
    await expectServed()
  })
})

test('a malformed entry is refused and the stream lives', async () => {
  const stream = raw.notify(await raw.session())
  stream.on('error', () => {})
  const id = Buffer.alloc(8, 1)
  const dot = { peer: id, counter: 1 }
  const good = { version: [dot], contentDot: dot, mode: 0o644, directory: {} }
  const paths = ['../up', 'fine', '.synd/index.sqlite', '/etc/passwd', 'also fine']
  for (const [index, path] of paths.entries()) {
    const entries = [{ ...good, sequence: index + 1, path: Buffer.from(path) }]
    stream.write(proto().Announcement.serialize({ entries, upTo: index + 1, head: 9 }))
  }
  await until(() => engine.received.length === paths.length)
  expect(engine.received.flatMap(({ entries }) => entries.map(({ sequence }) => sequence))).toEqual(
    [2, 5],
  )
  expect(engine.received.flatMap(({ refused }) => refused ?? [])).toEqual([
    { sequence: 1, code: 'bad-path' },
    { sequence: 3, code: 'bad-path' },
    { sequence: 4, code: 'bad-path' },
  ])
  expect(network.reasons).toEqual(['bad-path', 'bad-path', 'bad-path'])
  stream.cancel()
})

test('metadata of 100 KB is refused', async () => {
  const metadata = new Metadata()
  metadata.set('x-large', 'v'.repeat(100_000))
  expect(await raw.call(helloPath, encodeHello(sampleHello()), metadata)).not.toBeInstanceOf(Buffer)
  await expectServed()
})
