import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { generateKeyPair } from '../../src/identity/keys.ts'
import { synd } from './synd.ts'

let directory = ''
let volume = ''
let flags: readonly string[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'synd-check-'))
  volume = join(directory, 'volume')
  mkdirSync(volume)
  const own = generateKeyPair()
  writeFileSync(join(directory, 'key'), own.privateKeyText, { mode: 0o600 })
  writeFileSync(join(directory, 'authorized_keys'), `# host b\n\n${generateKeyPair().publicLine}\n`)
  flags = [
    `--volume=${volume}`,
    `--ssh-key=${directory}/key`,
    `--ssh-authorized-keys=${directory}/authorized_keys`,
    '--peers=host-b',
  ]
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

test('a configuration that can run is printed with its sources, and nothing is changed', async () => {
  const { code, printed, complained } = await synd('config', 'check', ...flags)
  expect([code, complained]).toEqual([0, []])
  expect(printed).toContainEqual(expect.stringMatching(/^SYND_PEERS=host-b +# flag$/))
  expect(printed).toContainEqual(
    expect.stringMatching(/^SYND_GRPC_LISTEN=0\.0\.0\.0:50051 +# default$/),
  )
  expect(readdirSync(volume)).toEqual([])
})

test('what is probably not meant is a warning and no failure', async () => {
  const { code, printed, complained } = await synd(
    'config',
    'check',
    ...flags.slice(0, 3),
    '--tls=off',
  )
  expect([code, complained]).toEqual([0, []])
  expect(printed.slice(-2)).toEqual([
    '# warning: SYND_PEERS is empty: there is nobody to sync with',
    '# warning: SYND_TLS is off: notifications are neither encrypted nor authenticated by Synd',
  ])
})

describe('what would stop the sidecar is 78 and one line', () => {
  const complaint = async (...more: readonly string[]): Promise<string> => {
    const kept = flags.filter(
      (flag) => !more.some((other) => other.split('=')[0] === flag.split('=')[0]),
    )
    const { code, complained } = await synd('config', 'check', ...kept, ...more)
    expect(code).toBe(78)
    expect(complained).toHaveLength(1)
    expect(complained[0]).toMatch(/^synd: .+$/)
    return (complained[0] ?? '').replaceAll(directory, 'DIR')
  }

  test('a setting that does not parse', async () => {
    expect(await complaint('--scan-interval=10')).toContain(
      '--scan-interval is "10": expected a duration',
    )
  })

  test('a volume that is missing, or a file', async () => {
    expect(await complaint(`--volume=${directory}/none`)).toContain(
      'SYND_VOLUME: "DIR/none" does not exist',
    )
    writeFileSync(join(directory, 'file'), '')
    expect(await complaint(`--volume=${directory}/file`)).toContain(
      'SYND_VOLUME: "DIR/file" is no directory',
    )
  })

  test('a key that is missing, open to others, or none', async () => {
    expect(await complaint(`--ssh-key=${directory}/none`)).toContain(
      'SYND_SSH_KEY: DIR/none does not exist',
    )
    chmodSync(join(directory, 'key'), 0o644)
    expect(await complaint()).toContain('chmod 600')
    expect(await complaint(`--ssh-key=${directory}/authorized_keys`)).toContain('SYND_SSH_KEY: ')
  })

  test('authorized_keys that are missing or admit nobody', async () => {
    expect(await complaint(`--ssh-authorized-keys=${directory}/none`)).toContain(
      'SYND_SSH_AUTHORIZED_KEYS: ',
    )
    writeFileSync(join(directory, 'authorized_keys'), '# nobody\n')
    expect(await complaint()).toContain(
      'SYND_SSH_AUTHORIZED_KEYS: DIR/authorized_keys holds no key',
    )
  })

  test('a passphrase file that is missing', async () => {
    expect(await complaint(`--ssh-key-passphrase-file=${directory}/none`)).toBe(
      'synd: SYND_SSH_KEY_PASSPHRASE_FILE: cannot read DIR/none (ENOENT): correct the path or its permissions',
    )
  })

  test('certificates that are missing', async () => {
    const files = ['--tls=files', '--tls-cert=/none/c', '--tls-key=/none/k', '--tls-ca=/none/a']
    expect(await complaint(...files)).toContain('/none/')
  })

  test.skipIf(process.getuid?.() !== 0)('a volume that another user owns', () => {
    // Root may write everything: only another user finds out.
    chmodSync(directory, 0o755)
    chmodSync(volume, 0o555)
    chownSync(join(directory, 'key'), 65_534, 65_534)
    const script = `
      import { dispatch } from '${join(import.meta.dirname, '..', '..', 'src', 'cli', 'dispatch.ts')}'
      import { openTerminal } from '${join(import.meta.dirname, '..', '..', 'src', 'cli', 'terminal.ts')}'
      process.exitCode = await dispatch(process.argv.slice(1), { run: async () => 0, terminal: openTerminal() })`
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, '--', 'config', 'check', ...flags],
      { uid: 65_534, gid: 65_534, encoding: 'utf8', cwd: '/' },
    )
    expect(stderr.replaceAll(directory, 'DIR')).toMatch(
      /^synd: SYND_VOLUME: "DIR\/volume" cannot be written by uid 65534 \(EACCES\).*\n$/,
    )
    expect(status).toBe(78)
  })
})
