import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { generateKeyPair } from '../../src/identity/keys.ts'
import { Cluster } from './cluster.ts'
import { SidecarProcess } from './sidecar-process.ts'
import { until } from './wait.ts'

let cluster: Cluster
let stranger: SidecarProcess | null = null

afterEach(async () => {
  await stranger?.kill()
  await cluster.stop()
})

test('a key that is not in authorized_keys is refused on both channels, counted, and gets and gives nothing', async () => {
  cluster = await Cluster.make(['alpha', 'beta'])
  await cluster.start()
  const alpha = cluster.member('alpha')
  alpha.hands.write('secret', 'for peers only')
  await cluster.untilInSync()

  const home = mkdtempSync(join(tmpdir(), 'synd-stranger-'))
  const key = join(home, 'key')
  const { privateKeyText, publicLine } = generateKeyPair()
  writeFileSync(key, privateKeyText, { mode: 0o600 })
  writeFileSync(join(home, 'keys'), `${publicLine}\n`)
  writeFileSync(join(home, 'planted'), 'by a stranger')
  stranger = new SidecarProcess({
    environment: {
      ...cluster.member('beta').process.environment,
      SYND_VOLUME: home,
      SYND_STATE_DIR: mkdtempSync(join(tmpdir(), 'synd-stranger-state-')),
      SYND_PEER_NAME: 'stranger',
      SYND_PEERS: `127.0.0.1:${alpha.ports.grpc}`,
      SYND_SSH_KEY: mkKeyElsewhere(privateKeyText),
      SYND_SSH_AUTHORIZED_KEYS: alpha.process.environment['SYND_SSH_AUTHORIZED_KEYS'] ?? '',
      SYND_GRPC_LISTEN: '127.0.0.1:0',
      SYND_SSH_LISTEN: '127.0.0.1:0',
      SYND_HTTP_LISTEN: '127.0.0.1:0',
    },
    httpPort: 0,
  })
  stranger.start()
  await until(async () => ((await refused('grpc')) > 0 ? null : 'nothing refused on gRPC'))
  const refusal = /"address":"127\.0\.0\.1".*"msg":"connection refused"/
  await until(() => (refusal.test(alpha.process.output) ? null : 'no line that says from where'))

  const scp = promisify(execFile)('scp', [
    '-O',
    '-i',
    key,
    '-P',
    String(alpha.ports.ssh),
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
    '-o',
    'BatchMode=yes',
    '-o',
    'IdentityAgent=none',
    'x@127.0.0.1:/secret',
    join(home, 'stolen'),
  ])
  await expect(scp).rejects.toThrow(/Permission denied/)
  await until(async () => ((await refused('ssh')) > 0 ? null : 'nothing refused on SSH'))
  expect(alpha.hands.read('planted')).toBeNull()
  await cluster.untilInSync()

  async function refused(surface: string): Promise<number> {
    const { text } = await alpha.process.get('/metrics')
    const counts = [...text.matchAll(/^synd_rejected_total\{(.*)\} (\d+)$/gm)]
    return counts
      .filter(([, labels]) => labels?.includes(`surface="${surface}"`))
      .reduce((sum, [, , count]) => sum + Number(count), 0)
  }
})

function mkKeyElsewhere(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'synd-stranger-key-')), 'key')
  writeFileSync(path, text, { mode: 0o600 })
  return path
}
