import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
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
  [
    'a state directory that cannot be made',
    { SYND_STATE_DIR: '/proc/synd-state' },
    /SYND_STATE_DIR: .*\/proc\/synd-state.* cannot be made.*expected a directory/,
  ],
  [
    'a state directory that is a file',
    { SYND_STATE_DIR: '/etc/passwd' },
    /SYND_STATE_DIR: .*\/etc\/passwd.* is no directory; expected/,
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

test('a state directory below something of .synd is refused by its own name', async () => {
  for (const name of ['volume-id', 'staging', 'hold/x']) {
    cluster = await Cluster.make(['alone'])
    const { process, volume } = cluster.member('alone')
    const { environment } = process
    const own = new SidecarProcess({
      environment: {
        ...environment,
        SYND_LOG_LEVEL: 'error',
        SYND_STATE_DIR: join(volume, '.synd', name),
      },
      httpPort: 0,
    })
    own.start()
    expect(await own.exited(), name).toBe(78)
    expect(own.output.trimEnd().split('\n')).toHaveLength(1)
    expect(own.output).toMatch(/SYND_STATE_DIR/)
    expect(own.output).not.toMatch(/SYND_VOLUME:/)
    await cluster.stop()
  }
})

test('a state directory that another process uses ends it with 1 and is named', async () => {
  cluster = await Cluster.make(['alone'], { settings: { SYND_LOG_LEVEL: 'error' } })
  const { process, volume } = cluster.member('alone')
  const state = join(dirname(volume), 'state-in-use')
  mkdirSync(state)
  const database = new DatabaseSync(join(state, 'index.sqlite'))
  try {
    database.exec('BEGIN EXCLUSIVE')
    const environment = { ...process.environment, SYND_STATE_DIR: state }
    const second = new SidecarProcess({ environment, httpPort: 0 })
    second.start()
    expect(await second.exited()).toBe(1)
    expect(second.output.trimEnd().split('\n')).toHaveLength(1)
    expect(second.output).toMatch(/SYND_STATE_DIR: .*state-in-use.* is in use by another process/)
  } finally {
    database.close()
  }
})

test('without peers it runs and says so', async () => {
  cluster = await Cluster.make(['hermit'])
  mkdirSync(join(dirname(cluster.member('hermit').volume), 'unused'))
  await cluster.start()
  expect(cluster.member('hermit').process.output).toContain('SYND_PEERS is empty')
  expect((await cluster.member('hermit').process.get('/readyz')).status).toBe(200)
})
