import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { CredentialSource } from '../../src/identity/credential-source.ts'
import { loadPrivateKey, type PrivateKey } from '../../src/identity/keys.ts'
import { parseSshBlob, type PublicKey } from '../../src/identity/public-key.ts'
import { FakeEngine } from '../conformance/fake-engine.ts'
import { until } from '../rpc/real-time.ts'
import { hostAddress, openNetwork } from '../rpc/world.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { collect } from './collect.ts'
import type { TestKey } from './keys.ts'
import { startPair } from './peers.ts'
import { describeWith } from './tools.ts'

const kinds = [
  ['ed25519', ['-t', 'ed25519']],
  ['RSA', ['-t', 'rsa', '-b', '2048']],
  ['ECDSA P-256', ['-t', 'ecdsa', '-b', '256']],
  ['ECDSA P-384', ['-t', 'ecdsa', '-b', '384']],
  ['ECDSA P-521', ['-t', 'ecdsa', '-b', '521']],
] as const

const forms = [
  ['OpenSSH', []],
  ['PKCS8', ['-m', 'PKCS8']],
  ['PEM', ['-m', 'PEM']],
] as const

let directory: ReturnType<typeof temporaryDirectory>
beforeAll(() => {
  directory = temporaryDirectory()
})
afterAll(() => directory.remove())

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop()
})

let made = 0

/** A key as `synd run` reads it. */
function makeKey(options: readonly string[], passphrase: string): PrivateKey {
  const path = join(directory.path, `key${made++}`)
  execFileSync('ssh-keygen', ['-q', ...options, '-N', passphrase, '-f', path])
  return loadPrivateKey(path, passphrase === '' ? {} : { passphrase })
}

function publicHalf({ sshPublicLine }: PrivateKey): PublicKey {
  const key = parseSshBlob(Buffer.from(sshPublicLine.split(' ')[1] ?? '', 'base64'))
  if (typeof key === 'string') throw new Error(key)
  return key
}

function testKey(key: PrivateKey): TestKey {
  const { fingerprint, sshBlob, algorithm } = publicHalf(key)
  return { fingerprint, sshBlob, algorithm, sshPem: key.sshPem, publicLine: key.sshPublicLine }
}

async function credentials(
  own: PrivateKey,
  keys: readonly PrivateKey[],
): Promise<CredentialSource> {
  const trusted = keys.map(publicHalf)
  const source = new CredentialSource({
    privateKey: own.privateKey,
    trusted: { current: () => trusted, onChange: () => () => undefined },
    log: () => undefined,
  })
  await source.start()
  cleanups.push(() => source.stop())
  return source
}

describeWith(['ssh-keygen'], 'peers with keys of ssh-keygen, one plain and one encrypted', () => {
  for (const [kind, options] of kinds)
    for (const [form, format] of forms)
      test(`${kind} as ${form}: trust each other on both channels`, async () => {
        const keys = [
          makeKey([...options, ...format], ''),
          makeKey([...options, ...format], 'open sesame'),
        ] as const
        const [listener, dialer] = keys
        const engines = [new FakeEngine('listener'), new FakeEngine('dialer')] as const
        const network = openNetwork(await credentials(listener, keys))
        cleanups.push(() => network.stop())
        await network.start(engines[0])
        const peers = [hostAddress(network.port)]
        const other = openNetwork(await credentials(dialer, keys), { peers })
        cleanups.push(() => other.stop())
        await other.start(engines[1])
        await until(() => engines[0].inbound.length === 1 && engines[1].outbound.length === 1)
        expect(engines[0].inbound[0]?.key).toBe(dialer.fingerprint)
        expect(engines[1].outbound[0]?.key).toBe(listener.fingerprint)

        const pair = await startPair({
          key: testKey(listener),
          sink: { key: testKey(dialer) },
        })
        cleanups.push(() => pair.stop())
        const requests = [pair.volume.put('file', kind)]
        const { contents } = await collect(pair.transfer, pair.target, requests)
        expect(contents.map(String)).toEqual([kind])
      })
})
