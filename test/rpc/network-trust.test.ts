import { connect as connectTcp } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import type { TlsCredentials } from '../../src/core/credentials.ts'
import type { Network } from '../../src/engine/ports.ts'
import { contextOptions, type Credentials } from '../../src/rpc/credentials.ts'
import type { RejectionReason } from '../../src/rpc/rejection.ts'
import { FakeEngine } from '../conformance/fake-engine.ts'
import { forge } from '../identity/certificates.ts'
import { openWire } from './raw-http2.ts'
import { until } from './real-time.ts'
import {
  authorizeEachOther,
  hostAddress,
  makeIdentity,
  openNetwork,
  type Identity,
  type TestNetwork,
} from './world.ts'

const started: Network[] = []
afterEach(async () => {
  for (const network of started.splice(0)) await network.stop()
})

async function start(network: TestNetwork, engine: FakeEngine): Promise<TestNetwork> {
  started.push(network)
  await network.start(engine)
  return network
}

/** A listens; B is authorized there and dials A. */
async function pair(nowMs?: () => number): Promise<{
  a: Identity
  b: Identity
  engineA: FakeEngine
  engineB: FakeEngine
  networkA: TestNetwork
  networkB: TestNetwork
}> {
  const [a, b] = [await makeIdentity(nowMs), await makeIdentity(nowMs)]
  await authorizeEachOther(a, b)
  const [engineA, engineB] = [new FakeEngine('a'), new FakeEngine('b')]
  const networkA = await start(openNetwork(a.credentials), engineA)
  const networkB = await start(
    openNetwork(b.credentials, { peers: [hostAddress(networkA.port)] }),
    engineB,
  )
  await until(() => engineB.outbound.length > 0 && engineA.inbound.length > 0)
  return { a, b, engineA, engineB, networkA, networkB }
}

test('each side knows the key of the other', async () => {
  const { a, b, engineA, engineB } = await pair()
  expect(engineA.inbound[0]?.key).toBe(b.key)
  expect(engineB.outbound[0]?.key).toBe(a.key)
})

test('a stranger that dials is refused and told why, and counted', async () => {
  const [a, stranger] = [await makeIdentity(), await makeIdentity()]
  await authorizeEachOther(a)
  stranger.authorize(a, stranger)
  await until(() => stranger.credentials.current().anchorsPem.length === 2)
  const [engine, strange] = [new FakeEngine('a'), new FakeEngine('stranger')]
  const network = await start(openNetwork(a.credentials), engine)
  await start(openNetwork(stranger.credentials, { peers: [hostAddress(network.port)] }), strange)
  await until(() => strange.failures.length > 0)
  expect(strange.failures[0]?.code).toBe('untrusted')
  expect(strange.failures[0]?.message).toContain('is our public key in its authorized_keys?')
  expect(network.reasons).toContain('untrusted-certificate')
  expect(network.logged.join()).toMatch(
    /warn connection refused .*untrusted-certificate.*"address":"127\.0\.0\.1"/,
  )
  expect([engine.callers, engine.inbound]).toEqual([[], []])
})

test('a stranger that is dialled is refused before it learns anything, and counted', async () => {
  const [a, stranger] = [await makeIdentity(), await makeIdentity()]
  await authorizeEachOther(a)
  stranger.authorize(a, stranger)
  await until(() => stranger.credentials.current().anchorsPem.length === 2)
  const [engine, strange] = [new FakeEngine('a'), new FakeEngine('stranger')]
  const other = await start(openNetwork(stranger.credentials), strange)
  const peers = [hostAddress(other.port)]
  const network = await start(openNetwork(a.credentials, { peers }), engine)
  await until(() => engine.failures.length > 0)
  expect(engine.failures[0]?.code).toBe('untrusted')
  expect(engine.failures[0]?.message).toContain('is its public key in our authorized_keys?')
  expect(network.reasons).toContain('untrusted-certificate')
  expect(strange.callers).toEqual([])
})

test('a removed key loses its connections, on the side that dialled as on the one that was dialled', async () => {
  const { a, b, engineA, engineB, networkA, networkB } = await pair()
  a.authorize(a)
  await until(() => engineA.ended.length === 1 && engineB.ended.length === 1)
  expect(networkA.reasons).toContain('untrusted-key')
  await until(() => engineB.failures.length > 0)
  expect(engineB.failures[0]?.code).toBe('untrusted')
  const before = engineA.inbound.length
  a.authorize(a, b)
  await until(() => engineA.inbound.length > before)
  b.authorize(b)
  await until(() => engineB.ended.length === 2)
  expect(networkB.reasons).toContain('untrusted-key')
})

test('a key added while running is let in without a restart', async () => {
  const { a, b, engineA, networkA } = await pair()
  const third = await makeIdentity()
  third.authorize(a, third)
  await until(() => third.credentials.current().anchorsPem.length === 2)
  const engine = new FakeEngine('c')
  await start(openNetwork(third.credentials, { peers: [hostAddress(networkA.port)] }), engine)
  await until(() => engine.failures.length > 0)
  a.authorize(a, b, third)
  await until(() => engine.outbound.length > 0 && engineA.inbound.length > 1)
  expect(engineA.inbound.map(({ key }) => key)).toEqual([b.key, third.key])
  expect(engineA.ended).toEqual([])
})

test('a new leaf is shown by who listens and by who dials at the next connection, and those that are open stay', async () => {
  const clock = { nowMs: Date.now() }
  const { a, b, engineA, engineB, networkA } = await pair(() => clock.nowMs)
  const leafOf = ({ credentials }: Identity): string =>
    new X509Certificate(credentials.current().certificatePem).serialNumber
  const before = [leafOf(a), leafOf(b)]
  expect(await leafAt(networkA.port, b)).toBe(before[0])
  const judged = vi.spyOn(a.credentials, 'keyOfPeer')
  // A day later the credentials are made anew, for whatever reason, with a new leaf.
  clock.nowMs += 25 * 3_600_000
  a.authorize(a, b)
  b.authorize(a, b)
  await until(() => leafOf(a) !== before[0] && leafOf(b) !== before[1])
  expect([engineA.ended, engineB.ended]).toEqual([[], []])
  expect(await leafAt(networkA.port, b)).toBe(leafOf(a))

  const [first] = engineB.outbound
  if (first === undefined) throw new Error('no link')
  engineB.leave(first)
  await until(() => engineB.outbound.length > 1 && engineA.inbound.length > 1)
  expect(engineA.inbound.at(-1)?.key).toBe(b.key)
  const shown = judged.mock.calls.flatMap(([certificate]) =>
    Buffer.isBuffer(certificate) ? [] : [certificate.serialNumber],
  )
  expect(shown).toContain(leafOf(b))
})

/** The serial number of the leaf that a listener shows to who has this identity. */
async function leafAt(port: number, { credentials }: Identity): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      ...contextOptions(credentials),
      ALPNProtocols: ['h2'],
      checkServerIdentity: () => undefined,
    })
    socket.on('error', reject)
    socket.on('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '')
      socket.destroy()
    })
  })
}

test('TLS on one side only makes no link', async () => {
  const a = await makeIdentity()
  await authorizeEachOther(a)
  const [secure, plain] = [new FakeEngine('secure'), new FakeEngine('plain')]
  const secureNetwork = await start(openNetwork(a.credentials), secure)
  const peers = [hostAddress(secureNetwork.port)]
  const plainNetwork = await start(openNetwork(null, { peers }), plain)
  const dialling = new FakeEngine('dialling')
  const back = [hostAddress(plainNetwork.port)]
  await start(openNetwork(a.credentials, { peers: back }), dialling)
  await until(() => plain.failures.length > 0 && dialling.failures.length > 0)
  expect(secureNetwork.reasons).toContain('tls-failed')
  expect([secure.callers, plain.callers]).toEqual([[], []])
})

/** Sends `bytes` and waits for the other side to close. */
async function say(port: number, bytes: string | Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connectTcp({ port, host: '127.0.0.1' }, () => socket.write(bytes))
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.resume()
  })
}

/** Makes a TLS connection and waits for the other side to close it. */
async function greet(
  port: number,
  credentials: Partial<TlsCredentials>,
  protocols: readonly string[] = ['h2'],
): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      servername: 'synd',
      rejectUnauthorized: false,
      ALPNProtocols: [...protocols],
      ...(credentials.certificatePem === undefined ? {} : { cert: credentials.certificatePem }),
      ...(credentials.privateKeyPem === undefined ? {} : { key: credentials.privateKeyPem }),
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.resume()
  })
}

test('who has no certificate of a peer does not get as far as HTTP/2, and honest peers do', async () => {
  const { a, b, engineA, networkA } = await pair()
  const { port, reasons } = networkA
  const authority = generateKeyPairSync('ed25519').privateKey
  const times = { notBefore: new Date(0), notAfter: new Date(Date.now() - 60_000) }
  const own = a.credentials.current()
  const nameOf = ({ key }: Identity): string => key.slice(0, 40)
  /** A leaf that the member b issued. */
  const issued = (names: readonly string[], more: { isCa?: boolean; issuer?: string } = {}) =>
    forge({
      subject: 'CN=leaf',
      issuer: `CN=${nameOf(b)}`,
      signedBy: b.privateKey,
      names: names.map((name) => `${name}.synd`),
      ...more,
    })
  const refusals: readonly (readonly [RejectionReason, () => Promise<void>])[] = [
    ['tls-failed', () => say(port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['tls-failed', () => say(port, 'GET / HTTP/1.1\r\n\r\n')],
    ['tls-failed', () => say(port, Buffer.alloc(100_000, 0xff))],
    ['tls-failed', () => greet(port, own, ['http/1.1'])],
    ['tls-failed', () => greet(port, own, [])],
    ['no-certificate', () => greet(port, {})],
    [
      'untrusted-certificate',
      async () => {
        const name = 'CN=ISRG Root X1'
        await greet(port, await forge({ subject: name, issuer: name, signedBy: authority }))
      },
    ],
    [
      'expired-certificate',
      async () => {
        const name = b.key.slice(0, 40)
        const names = [`${name}.synd`]
        const byB = { issuer: `CN=${name}`, signedBy: b.privateKey, names }
        await greet(port, await forge({ subject: 'CN=leaf', ...byB, ...times }))
      },
    ],
    ['untrusted-key', async () => greet(port, await issued([nameOf(a)]))],
    ['untrusted-key', async () => greet(port, await issued([nameOf(b), nameOf(a)]))],
    ['untrusted-key', async () => greet(port, await issued([nameOf(b)], { isCa: true }))],
    [
      'untrusted-certificate',
      async () => greet(port, await issued([nameOf(a)], { issuer: `CN=${nameOf(a)}` })),
    ],
    [
      'untrusted-certificate',
      async () => {
        const stranger = await makeIdentity()
        const name = nameOf(stranger)
        const by = { issuer: `CN=${name}`, signedBy: stranger.privateKey }
        await greet(port, await forge({ subject: 'CN=leaf', ...by, names: [`${name}.synd`] }))
      },
    ],
  ]
  for (const [reason, attack] of refusals) {
    const before = reasons.length
    await attack()
    await until(() => reasons.length > before)
    expect(reasons.at(-1)).toBe(reason)
  }
  expect(engineA.ended).toEqual([])
  const log = networkA.logged.filter((line) => line.includes('connection refused'))
  expect(log).toHaveLength(new Set(reasons).size)
})

/** What a member can make of its key besides its own leaf, each with why the port refuses it. */
async function forgeries(member: Identity, victim: Identity) {
  const [own, other] = [member.key.slice(0, 40), victim.key.slice(0, 40)]
  const common = { subject: 'CN=leaf', issuer: `CN=${own}`, signedBy: member.privateKey }
  const past = { notBefore: new Date(0), notAfter: new Date(Date.now() - 60_000) }
  return [
    ["another's name", 'untrusted-key', await forge({ ...common, names: [`${other}.synd`] })],
    [
      'another as issuer',
      'untrusted-certificate',
      await forge({ ...common, issuer: `CN=${other}`, names: [`${other}.synd`] }),
    ],
    [
      'two names',
      'untrusted-key',
      await forge({ ...common, names: [`${own}.synd`, `${other}.synd`] }),
    ],
    ['a CA', 'untrusted-key', await forge({ ...common, names: [`${own}.synd`], isCa: true })],
    [
      'an expired leaf',
      'expired-certificate',
      await forge({ ...common, names: [`${own}.synd`], ...past }),
    ],
  ] as const
}

test('what a member forges with its key is refused by the port, and when it is dialled', async () => {
  const { a, b, networkA } = await pair()
  for (const [what, reason, forged] of await forgeries(b, a)) {
    const before = networkA.reasons.length
    await greet(networkA.port, forged)
    await until(() => networkA.reasons.length > before)
    expect([what, networkA.reasons.at(-1)]).toEqual([what, reason])

    const server = createTlsServer({
      cert: forged.certificatePem,
      key: forged.privateKeyPem,
      ALPNProtocols: ['h2'],
    })
    let heardBytes = 0
    server.on('secureConnection', (socket) => {
      socket.on('data', (chunk: Buffer) => (heardBytes += chunk.length))
      socket.on('error', () => {})
    })
    server.on('tlsClientError', () => {})
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const engine = new FakeEngine('dialling')
    const network = openNetwork(a.credentials, { peers: [hostAddress(port)] })
    await network.start(engine)
    await until(() => engine.failures.length > 0)
    await network.stop()
    server.close()
    expect([what, engine.failures[0]?.code, engine.outbound]).toEqual([what, 'untrusted', []])
    expect([what, heardBytes]).toEqual([what, 0])
  }
})

test('a probe of the port is not counted', async () => {
  const { networkA } = await pair()
  await new Promise<void>((resolve) => {
    const socket = connectTcp({ port: networkA.port, host: '127.0.0.1' }, () => socket.end())
    socket.on('close', () => resolve())
    socket.resume()
  })
  await say(networkA.port, 'noise')
  await until(() => networkA.reasons.length > 0)
  expect(networkA.reasons).toEqual(['tls-failed'])
})

test('a thousand handshakes that hang keep no peer waiting', async () => {
  const { a, b, engineA, networkA } = await pair()
  const sockets = Array.from({ length: 1000 }, () =>
    connectTcp({ port: networkA.port, host: '127.0.0.1' }).on('error', () => {}),
  )
  await until(
    () => networkA.reasons.filter((reason) => reason === 'too-many-connections').length > 500,
  )
  const engine = new FakeEngine('b again')
  await start(openNetwork(b.credentials, { peers: [hostAddress(networkA.port)] }), engine)
  const sinceMs = performance.now()
  await until(() => engine.outbound.length > 0)
  expect(performance.now() - sinceMs).toBeLessThan(10_000)
  expect(engineA.ended).toEqual([])
  expect(a.key).not.toBe(b.key)
  for (const socket of sockets) socket.destroy()
})

test('whoever has most connections loses its oldest to a newcomer', async () => {
  const [a, b, crowd] = [await makeIdentity(), await makeIdentity(), await makeIdentity()]
  await authorizeEachOther(a, b, crowd)
  const network = await start(
    openNetwork(a.credentials, { maxConnections: 8 }),
    new FakeEngine('a'),
  )
  const honest = new FakeEngine('b')
  await start(openNetwork(b.credentials, { peers: [hostAddress(network.port)] }), honest)
  await until(() => honest.outbound.length > 0)
  const closed: number[] = []
  for (let count = 0; count < 12; count++) {
    const { socket } = await openWire(network.port, crowd)
    socket.on('close', () => closed.push(count))
  }
  await until(() => closed.length === 5)
  expect(closed).toEqual([0, 1, 2, 3, 4])
  expect(network.reasons).toEqual(Array.from({ length: 5 }, () => 'too-many-connections'))
  const late = new FakeEngine('b again')
  await start(openNetwork(b.credentials, { peers: [hostAddress(network.port)] }), late)
  await until(() => late.outbound.length > 0)
  expect(honest.ended).toEqual([])
})

test('what the credentials say of a certificate is asked anew at every call', async () => {
  const { a, b, networkA } = await pair()
  const fickle: Credentials = {
    current: () => a.credentials.current(),
    onChange: () => () => {},
    keyOfPeer: () => null,
    advice: a.credentials.advice,
  }
  const engine = new FakeEngine('a')
  const network = await start(openNetwork(fickle), engine)
  const other = new FakeEngine('b')
  const peers = [hostAddress(network.port)]
  await start(openNetwork(b.credentials, { peers }), other)
  await until(() => other.failures.length > 0)
  expect(network.reasons).toContain('untrusted-key')
  expect(networkA.reasons).toEqual([])
})
