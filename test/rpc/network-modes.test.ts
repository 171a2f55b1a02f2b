import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { Network } from '../../src/engine/ports.ts'
import { FileCredentials } from '../../src/identity/file-credentials.ts'
import { FakeEngine } from '../conformance/fake-engine.ts'
import { forge } from '../identity/certificates.ts'
import { until } from './real-time.ts'
import {
  authorizeEachOther,
  hostAddress,
  makeIdentity,
  openNetwork,
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

/** Credentials from files of one authority, for the host `localhost`. */
async function fileCredentials(): Promise<FileCredentials> {
  const directory = mkdtempSync(join(tmpdir(), 'synd-files-'))
  const issuer = 'CN=authority'
  const signedBy = generateKeyPairSync('ed25519').privateKey
  const authority = await forge({ subject: issuer, issuer, signedBy, isCa: true })
  const leaf = await forge({
    subject: 'CN=leaf',
    issuer,
    signedBy: authority.privateKey,
    names: ['localhost'],
  })
  const write = (name: string, text: string) => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  const credentials = new FileCredentials({
    files: {
      certificate: write('tls.crt', leaf.certificatePem),
      privateKey: write('tls.key', leaf.privateKeyPem),
      authorities: write('ca.crt', authority.certificatePem),
    },
    log: () => {},
  })
  credentials.start()
  rmSync(directory, { recursive: true })
  return credentials
}

test('with certificates from files peers are held to the host names they are dialled by', async () => {
  const credentials = await fileCredentials()
  const engine = new FakeEngine('a')
  const listen = { host: 'localhost', port: 0 }
  const network = await start(openNetwork(credentials, { listen }), engine)
  const [named, other] = [new FakeEngine('named'), new FakeEngine('other')]
  const byName = [hostAddress(network.port, 'localhost')]
  await start(openNetwork(credentials, { peers: byName }), named)
  await until(() => named.outbound.length === 1 && engine.inbound.length === 1)
  expect([named.outbound[0]?.key, engine.inbound[0]?.key]).toEqual(['', ''])

  const lookup = async () => ['127.0.0.1']
  const peers = [{ kind: 'dns', name: 'elsewhere.example', port: network.port } as const]
  const refusing = await start(openNetwork(credentials, { peers, lookup }), other)
  await until(() => other.failures.length > 0)
  expect(other.failures[0]?.code).toBe('untrusted')
  expect(refusing.reasons).toContain('untrusted-key')

  const stranger = await makeIdentity()
  await authorizeEachOther(stranger)
  const strange = new FakeEngine('stranger')
  await start(openNetwork(stranger.credentials, { peers: byName }), strange)
  await until(() => strange.failures.length > 0)
  expect(engine.callers).toHaveLength(1)
  credentials.stop()
})

test('with TLS off, noise on the port harms nobody', async () => {
  const engine = new FakeEngine('a')
  const network = await start(openNetwork(null), engine)
  for (const noise of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\0'.repeat(100_000), '\x16\x03\x01']) {
    const socket = connect({ host: '127.0.0.1', port: network.port }, () => socket.end(noise))
    socket.on('error', () => {})
    socket.resume()
  }
  const other = new FakeEngine('b')
  await start(openNetwork(null, { peers: [hostAddress(network.port)] }), other)
  await until(() => engine.inbound.length === 1)
  expect(engine.inbound[0]?.key).toBe('')
  expect(other.outbound[0]?.key).toBe('')
})

test('proxies of the environment are not used', async () => {
  const variables = ['grpc_proxy', 'https_proxy', 'http_proxy', 'HTTPS_PROXY', 'HTTP_PROXY']
  const before = variables.map((name) => process.env[name])
  for (const name of variables) process.env[name] = 'http://127.0.0.1:1'
  try {
    const engine = new FakeEngine('a')
    const network = await start(openNetwork(null), new FakeEngine('b'))
    const peers = [hostAddress(network.port, 'localhost')]
    await start(openNetwork(null, { peers }), engine)
    await until(() => engine.outbound.length === 1)
    expect(engine.failures).toEqual([])
  } finally {
    for (const [index, name] of variables.entries()) {
      const value = before[index]
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
})

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)

test.runIf(hasIpv6)('peers are dialled by IPv6 addresses', async () => {
  const identity = await makeIdentity()
  await authorizeEachOther(identity)
  const engine = new FakeEngine('a')
  const listen = { host: '::1', port: 0 }
  const network = await start(openNetwork(identity.credentials, { listen }), new FakeEngine('b'))
  const { port } = network
  const address = `[::1]:${port}`
  const peers = [{ kind: 'host', host: '::1', port, address } as const]
  await start(openNetwork(identity.credentials, { peers }), engine)
  await until(() => engine.outbound.length === 1)
  expect(engine.outbound[0]).toMatchObject({ address, host: '::1' })
})
