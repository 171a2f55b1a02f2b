import { Client, credentials as grpcCredentials, status } from '@grpc/grpc-js'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { forge, type Forged } from '../identity/certificates.ts'
import { Forwarder } from '../rpc/forwarder.ts'
import { Cluster, type Member } from './cluster.ts'
import { until } from './wait.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop()
})

const issuer = 'CN=our authority'

async function makeAuthority() {
  const signedBy = generateKeyPairSync('ed25519').privateKey
  const authority = await forge({ subject: issuer, issuer, signedBy: signedBy, isCa: true })
  const issue = (options: { addresses?: string[]; names?: string[]; notAfter?: Date } = {}) =>
    forge({
      subject: 'CN=host',
      issuer,
      signedBy: authority.privateKey,
      addresses: ['127.0.0.1'],
      ...options,
    })
  return { pem: authority.certificatePem, issue }
}

/** Null once the member says that of its peer. */
async function complaintOf({ process }: Member, words: RegExp): Promise<string | null> {
  const status = await process.status()
  const messages = status?.problems.map(({ code, message }) => `${code} ${message}`) ?? []
  return messages.some((message) => words.test(message)) ? null : JSON.stringify(messages)
}

/** The certificate that somebody sees who dials the member with this one. */
function certificateOf({ ports }: Member, own: Forged): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port: ports.grpc,
      cert: own.certificatePem,
      key: own.privateKeyPem,
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    })
    socket.on('error', reject)
    socket.on('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '')
      socket.destroy()
    })
  })
}

/** HealthCheckResponse: its one field, SERVING. */
const serving = Buffer.from([0x08, 1])

/** What the health service of the member that the client dials says. */
function healthOf(client: Client): Promise<Buffer> {
  const asIs = (message: Buffer) => message
  return new Promise((resolve, reject) => {
    const path = '/grpc.health.v1.Health/Check'
    client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), (error, answer) =>
      answer === undefined ? reject(error ?? new Error('no answer')) : resolve(answer),
    )
  })
}

const serialOf = ({ certificatePem }: Forged): string =>
  new X509Certificate(certificatePem).serialNumber

test('with certificates of an authority of their own peers work, and refuse what is not one of it', async () => {
  const authority = await makeAuthority()
  const leaves = { alpha: await authority.issue(), beta: await authority.issue() }
  let home = ''
  const put = (name: string, leaf: Forged): void => {
    writeFileSync(join(home, `${name}.tls.key`), leaf.privateKeyPem, { mode: 0o600 })
    writeFileSync(join(home, `${name}.tls.crt`), leaf.certificatePem)
  }
  const cluster = await Cluster.make(['alpha', 'beta'], {
    settingsOf: (name, place) => {
      home = place.home
      put(name, name === 'alpha' ? leaves.alpha : leaves.beta)
      writeFileSync(join(home, `${name}.ca.crt`), authority.pem)
      return {
        SYND_TLS: 'files',
        SYND_TLS_CERT: join(home, `${name}.tls.crt`),
        SYND_TLS_KEY: join(home, `${name}.tls.key`),
        SYND_TLS_CA: join(home, `${name}.ca.crt`),
      }
    },
  })
  cleanups.push(() => cluster.stop())
  const [alpha, beta] = [cluster.member('alpha'), cluster.member('beta')]
  alpha.hands.write('file', 'of alpha')
  await cluster.start()
  expect(beta.hands.read('file')).toBe('of alpha')

  // Who has a certificate of the authority may ask for the health, and nobody else.
  const asking = (leaf: Forged | null): Client => {
    const [key, certificate] = [leaf?.privateKeyPem, leaf?.certificatePem]
    const shown = grpcCredentials.createSsl(
      Buffer.from(authority.pem),
      key === undefined ? null : Buffer.from(key),
      certificate === undefined ? null : Buffer.from(certificate),
    )
    const client = new Client(`127.0.0.1:${beta.ports.grpc}`, shown)
    cleanups.push(() => client.close())
    return client
  }
  const stranger = await makeAuthority()
  expect(await healthOf(asking(leaves.alpha))).toEqual(serving)
  for (const leaf of [null, await stranger.issue()])
    await expect(healthOf(asking(leaf))).rejects.toMatchObject({ code: status.UNAVAILABLE })

  // A new leaf, without a restart and without losing the connection.
  expect(await certificateOf(beta, leaves.alpha)).toBe(serialOf(leaves.beta))
  const renewed = await authority.issue()
  put('beta', renewed)
  await until(async () =>
    (await certificateOf(beta, leaves.alpha)) === serialOf(renewed) ? null : 'the old leaf',
  )
  beta.hands.write('more', 'of beta')
  await cluster.untilInSync()
  expect(alpha.process.output).not.toContain('peer disconnected')

  // Nobody is trusted whom only the old authority vouches for, within seconds.
  const other = await makeAuthority()
  writeFileSync(join(home, 'alpha.ca.crt'), other.pem)
  await until(() =>
    complaintOf(alpha, /^peer-untrusted .*not believed \(.*of an authority in our SYND_TLS_CA\?/),
  )
  await until(() =>
    complaintOf(
      beta,
      /^peer-untrusted .*our certificate valid, and of an authority in its SYND_TLS_CA\?/,
    ),
  )
  writeFileSync(join(home, 'alpha.ca.crt'), authority.pem)
  await cluster.untilInSync()

  // One that has expired is seen at the next connection.
  put('beta', await authority.issue({ notAfter: new Date(Date.now() - 1000) }))
  await beta.process.stop()
  beta.process.start()
  await until(() => complaintOf(alpha, /^peer-untrusted .*CERT_HAS_EXPIRED/))
  put('beta', renewed)
  await cluster.untilInSync()
}, 180_000)

test('with TLS off peers work through a plain TCP proxy, are warned, and anybody may ask for their health', async () => {
  const [toAlpha, toBeta] = [await new Forwarder().start(), await new Forwarder().start()]
  cleanups.push(() => toAlpha.stop())
  cleanups.push(() => toBeta.stop())
  const cluster = await Cluster.make(['alpha', 'beta'], {
    settingsOf: (name) => ({
      SYND_TLS: 'off',
      SYND_PEERS: `127.0.0.1:${name === 'alpha' ? toBeta.port : toAlpha.port}`,
    }),
  })
  cleanups.push(() => cluster.stop())
  const [alpha, beta] = [cluster.member('alpha'), cluster.member('beta')]
  toAlpha.pointTo(alpha.ports.grpc)
  toBeta.pointTo(beta.ports.grpc)
  alpha.hands.write('file', 'of alpha')
  await cluster.start()
  beta.hands.write('another', 'of beta')
  await cluster.untilInSync()
  expect(alpha.hands.read('another')).toBe('of beta')
  expect(alpha.process.output).toMatch(/"level":"warn".*SYND_TLS is off/)

  const client = new Client(`127.0.0.1:${toAlpha.port}`, grpcCredentials.createInsecure())
  cleanups.push(() => client.close())
  const untilHealthIs = (expected: number) =>
    until(async () => ((await healthOf(client))[1] === expected ? null : 'another status'))
  await untilHealthIs(1)
  renameSync(alpha.volume, `${alpha.volume}.away`)
  await untilHealthIs(2)
  renameSync(`${alpha.volume}.away`, alpha.volume)
  await untilHealthIs(1)
})
