import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ComposeHost } from '../support/compose-host.ts'
import { describeWithDocker } from '../support/containers.ts'
import { makeDirectories, startContainer, untilExited } from '../support/plain-host.ts'
import { until } from '../support/wait.ts'
import { at, listAt } from '../support/yaml-files.ts'

describeWithDocker('what is set up wrongly', (docker) => {
  const parent = mkdtempSync(join(tmpdir(), 'synd-bad-input-'))
  const name = `synd-bad-input-${process.pid}`
  let host: { data: string; ssh: string }

  beforeAll(async () => {
    host = await makeDirectories(parent, { name: 'host' })
  })

  afterAll(async () => {
    for (const suffix of ['', '-other']) await docker.try('rm', '--force', `${name}${suffix}`)
    rmSync(parent, { recursive: true, force: true })
  })

  const data = (mode = '') => ['--volume', `${host.data}:/data${mode}`]
  const ssh = () => ['--volume', `${host.ssh}:/etc/synd/ssh:ro`]

  test.each<readonly [string, () => readonly string[], RegExp]>([
    ['the keys are not mounted', () => data(), /\/etc\/synd\/ssh\/id_ed25519/],
    [
      'the key cannot be read by the user',
      () => [...data(), ...ssh(), '--user', '4711:4711'],
      /\/etc\/synd\/ssh\/id_ed25519/,
    ],
    [
      'the volume cannot be written by the user',
      () => ['--volume', `${directory('not-writable', 0o755)}:/data`, ...ssh()],
      /\/data.*(writ|perm)/i,
    ],
    [
      'the volume is mounted read-only',
      () => [...data(':ro'), ...ssh()],
      /\/data.*(writ|read-only)/i,
    ],
    ['the volume is missing', () => [...ssh(), '--env', 'SYND_VOLUME=/nowhere'], /\/nowhere/],
    [
      'a variable is misspelt',
      () => [...data(), ...ssh(), '--env', 'SYND_PERS=host-b'],
      /SYND_PERS/,
    ],
    [
      'a value is no value',
      () => [...data(), ...ssh(), '--env', 'SYND_SCAN_INTERVAL=soon'],
      /SYND_SCAN_INTERVAL/,
    ],
    [
      'the key is open to others',
      () => [...data(), '--volume', `${keysWith({ mode: 0o644 })}:/etc/synd/ssh:ro`],
      /chmod 600/,
    ],
    [
      'no key is authorized',
      () => [...data(), '--volume', `${keysWith({ authorized: '' })}:/etc/synd/ssh:ro`],
      /authorized_keys/,
    ],
  ])('one line that says what to do, and exit 78, when %s', async (_, options, message) => {
    await startContainer(docker, name, ['--read-only', '--cap-drop', 'ALL', ...options()])
    const { code, stderr } = await untilExited(docker, name)
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(code).toBe(78)
  })

  test('one line and exit 1 when a port is taken', async () => {
    await startContainer(docker, `${name}-other`, [...data(), ...ssh()])
    await until(
      'the first runs',
      async () => (await docker.try('exec', `${name}-other`, 'synd', 'healthcheck')).code === 0,
    )
    const second = await makeDirectories(parent, { name: 'second' })
    await startContainer(docker, name, [
      `--network=container:${name}-other`,
      '--volume',
      `${second.data}:/data`,
      '--volume',
      `${second.ssh}:/etc/synd/ssh:ro`,
    ])
    const { code, stderr } = await untilExited(docker, name)
    expect(stderr).toMatch(/50051|2222|9464/)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
    await docker('rm', '--force', `${name}-other`)
  })

  test('one line and exit 1 when another process has the volume', async () => {
    await startContainer(docker, `${name}-other`, [...data(), ...ssh()])
    await until(
      'the first runs',
      async () => (await docker.try('exec', `${name}-other`, 'synd', 'healthcheck')).code === 0,
    )
    await startContainer(docker, name, [...data(), ...ssh()])
    const { code, stderr } = await untilExited(docker, name)
    expect(stderr).toMatch(/\/data|\.synd\/lock/)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
    await docker('rm', '--force', `${name}-other`)
  })

  test('no peers at all: it runs, is ready, and says so', async () => {
    await startContainer(docker, name, [...data(), ...ssh()])
    await until(
      'it is ready',
      async () => (await docker.try('exec', name, ...get('/readyz'))).code === 0,
    )
    expect((await docker.try('logs', name)).output).toMatch(/SYND_PEERS/)
  })

  test('a wrong host among the peers: it runs, is ready, and names it', async () => {
    await startContainer(docker, name, [
      ...data(),
      ...ssh(),
      '--env',
      'SYND_PEERS=no-such-host.invalid',
    ])
    await until(
      'it is ready',
      async () => (await docker.try('exec', name, ...get('/readyz'))).code === 0,
    )
    await until('the problem is listed', async () => {
      const status: unknown = JSON.parse(await docker('exec', name, 'synd', 'status', '--json'))
      return listAt(status, 'problems').some(
        (problem) =>
          String(at(problem, 'code')).startsWith('peer-') &&
          String(at(problem, 'message')).includes('no-such-host.invalid'),
      )
    })
    await until('the log names it', async () =>
      (await docker.try('logs', name)).output.includes('no-such-host.invalid'),
    )
  })

  test('under compose every start says the same line in docker logs, and the state shows the exit code', async () => {
    const network = `${name}-network`
    await docker('network', 'create', network)
    const compose = new ComposeHost(docker, parent, { name: 'compose', peers: 'other', network })
    try {
      await compose.setUp()
      rmSync(join(compose.keyDirectory, 'id_ed25519'))
      await compose.up()
      await until(
        'it was started again',
        async () => Number(at(await compose.inspect(), 'RestartCount')) >= 2,
      )
      const said = (await docker.try('logs', await compose.container())).stderr
        .trimEnd()
        .split('\n')
      expect(said.length).toBeGreaterThan(1)
      expect(new Set(said).size).toBe(1)
      expect(said[0]).toMatch(/^synd: .*id_ed25519/)
      await until('compose shows it', async () =>
        (await compose.compose('ps')).includes('Restarting'),
      )
      await until(
        'the state shows it',
        async () => at(await compose.inspect(), 'State', 'ExitCode') === 78,
      )
    } finally {
      await compose.down()
      await docker.try('network', 'rm', network)
    }
  })

  function directory(of: string, mode: number): string {
    const path = mkdtempSync(join(parent, `${of}-`))
    chmodSync(path, mode)
    return path
  }

  function keysWith(change: { mode?: number; authorized?: string }): string {
    const path = directory('keys', 0o755)
    copyOwned(join(host.ssh, 'id_ed25519'), join(path, 'id_ed25519'), change.mode ?? 0o600)
    const authorized = readFileSync(join(host.ssh, 'authorized_keys'), 'utf8')
    writeFileSync(join(path, 'authorized_keys'), change.authorized ?? authorized)
    return path
  }
})

function copyOwned(from: string, to: string, mode: number): void {
  copyFileSync(from, to)
  chownSync(to, 1000, 1000)
  chmodSync(to, mode)
}

/** A GET from inside the container, where there is no curl. */
function get(path: string): readonly string[] {
  return [
    'node',
    '-e',
    `fetch('http://127.0.0.1:9464${path}').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`,
  ]
}
