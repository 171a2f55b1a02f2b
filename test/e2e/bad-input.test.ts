import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster, type Member } from './cluster.ts'
import { SidecarProcess } from './sidecar-process.ts'

let cluster: Cluster | null = null

afterEach(async () => cluster?.stop())

async function aloneWith(
  change: Readonly<Record<string, string>>,
  prepare: (member: Member) => void = () => {},
) {
  cluster = await Cluster.make(['alone'], { settings: { SYND_LOG_LEVEL: 'error', ...change } })
  const member = cluster.member('alone')
  prepare(member)
  member.process.start()
  const code = await member.process.exited()
  return { code, lines: member.process.output.trimEnd().split('\n') }
}

const keyOf = ({ process }: Member): string => process.environment['SYND_SSH_KEY'] ?? ''

test.each([
  [
    'a volume that does not exist',
    { SYND_VOLUME: '/nowhere/at/all' },
    /SYND_VOLUME.*\/nowhere\/at\/all/,
  ],
  ['a key that does not exist', { SYND_SSH_KEY: '/nowhere/key' }, /SYND_SSH_KEY.*\/nowhere\/key/],
  [
    'authorized_keys that do not exist',
    { SYND_SSH_AUTHORIZED_KEYS: '/nowhere/keys' },
    /SYND_SSH_AUTHORIZED_KEYS.*\/nowhere\/keys/,
  ],
  ['a setting that nobody knows', { SYND_PEER: 'x' }, /SYND_PEER\b.*SYND_PEERS/],
  [
    'a value that does not parse whole',
    { SYND_SCAN_INTERVAL: '5 minutes' },
    /SYND_SCAN_INTERVAL.*5 minutes/,
  ],
  ['a watcher that comes later', { SYND_WATCH: 'parcel' }, /SYND_WATCH.*parcel/],
])('%s ends it with 78 and one line that says which', async (_, settings, message) => {
  const { code, lines } = await aloneWith(settings)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(message)
  expect(code).toBe(78)
})

test('a private key that others can read is refused with what to do', async () => {
  const { code, lines } = await aloneWith({}, (member) => chmodSync(keyOf(member), 0o644))
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/SYND_SSH_KEY.*chmod 600/)
  expect(code).toBe(78)
})

test('an empty authorized_keys is refused', async () => {
  const { code, lines } = await aloneWith({}, ({ process }) =>
    writeFileSync(process.environment['SYND_SSH_AUTHORIZED_KEYS'] ?? '', '# nobody\n'),
  )
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/SYND_SSH_AUTHORIZED_KEYS/)
  expect(code).toBe(78)
})

test('a port that is taken ends it with 1 and names the setting', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  try {
    for (const setting of ['SYND_GRPC_LISTEN', 'SYND_SSH_LISTEN', 'SYND_HTTP_LISTEN']) {
      const { code, lines } = await aloneWith({ [setting]: `127.0.0.1:${port}` })
      expect(lines).toHaveLength(1)
      expect(lines[0]).toContain(setting)
      expect(code).toBe(1)
      await cluster?.stop()
    }
  } finally {
    server.close()
  }
})

test('a volume that another process holds ends it with 1; the other goes on', async () => {
  cluster = await Cluster.make(['first'])
  const first = cluster.member('first')
  await cluster.start()
  const environment = { ...first.process.environment, SYND_LOG_LEVEL: 'error' }
  const other = {
    SYND_GRPC_LISTEN: '127.0.0.1:0',
    SYND_SSH_LISTEN: '127.0.0.1:0',
    SYND_HTTP_LISTEN: '127.0.0.1:0',
  }
  const second = new SidecarProcess({ environment: { ...environment, ...other }, httpPort: 0 })
  second.start()
  expect(await second.exited()).toBe(1)
  expect(second.output.trimEnd().split('\n')).toHaveLength(1)
  expect(second.output).toContain(first.volume)
  expect((await first.process.get('/livez')).status).toBe(200)
})

test('without peers it runs and says so', async () => {
  cluster = await Cluster.make(['hermit'])
  mkdirSync(join(dirname(cluster.member('hermit').volume), 'unused'))
  await cluster.start()
  expect(cluster.member('hermit').process.output).toContain('SYND_PEERS is empty')
  expect((await cluster.member('hermit').process.get('/readyz')).status).toBe(200)
})
