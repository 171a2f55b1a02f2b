import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { settingsWarnings } from '../../src/config/complete.ts'
import { describeSettings } from '../../src/config/describe.ts'
import { environmentWith } from '../../src/config/environment.ts'
import { flagOf, schema, settingNames } from '../../src/config/schema.ts'
import { loadSettings } from '../../src/config/settings.ts'
import { SyndError } from '../../src/core/errors.ts'

let directory = ''

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'synd-config-'))
})

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

function fileWith(text: string, name = 'settings.yaml'): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

/** The message of the SyndError that loading throws; the temporary directory is written as DIR. */
function complaint(flags: readonly string[], environment: Record<string, string> = {}): string {
  try {
    loadSettings(flags, environment)
  } catch (error) {
    if (!(error instanceof SyndError)) throw error
    expect(error.code).toBe('bad-settings')
    expect(error.message).not.toMatch(/\p{Cc}/u)
    return error.message.replaceAll(directory, 'DIR')
  }
  return '(nothing)'
}

test('nothing given: every setting has the default of the contract', () => {
  const { settings, given, ignoredVariables } = loadSettings([], { PATH: '/bin', HOME: '/root' })
  expect(settings).toMatchObject({
    volume: '/data',
    stateDir: '/data/.synd',
    peerName: hostname(),
    peers: [],
    mode: 'send-receive',
    grpcListen: { host: '0.0.0.0', port: 50051 },
    sshListen: { host: '0.0.0.0', port: 2222 },
    sshAdvertise: null,
    httpListen: { host: '0.0.0.0', port: 9464 },
    sshKey: '/etc/synd/ssh/id_ed25519',
    sshKeyPassphraseFile: null,
    sshAuthorizedKeys: '/etc/synd/ssh/authorized_keys',
    sshKnownHosts: null,
    tls: { kind: 'ssh-keys' },
    watch: 'auto',
    deleteBrake: 0.5,
    scanIntervalMs: 300_000,
    durability: 'full',
    logLevel: 'info',
  })
  expect(given.size).toBe(0)
  expect(ignoredVariables).toEqual([])
})

test('every setting has a variable, a flag, a doc and a default that its own format takes', () => {
  for (const name of settingNames) {
    const setting = schema[name]
    expect(setting.env).toMatch(/^SYND_[A-Z]+(?:_[A-Z]+)*$/)
    expect(flagOf(name)).toBe(`--${setting.env.slice(5).toLowerCase().replaceAll('_', '-')}`)
    expect(setting.doc.length).toBeGreaterThan(10)
    expect(() => setting.format(setting.default)).not.toThrow()
  }
  expect(new Set(settingNames.map((name) => schema[name].env)).size).toBe(settingNames.length)
})

describe('precedence', () => {
  const sources = ['file', 'environment', 'flag'] as const
  const intervals = { default: '5m', file: '1s', environment: '2s', flag: '3s' }
  const combinations = Array.from({ length: 8 }, (_, bits) =>
    sources.filter((_source, index) => (bits >> index) % 2 === 1),
  )

  test.each(combinations.map((given) => [given] as const))('of %j the last one wins', (given) => {
    const config = fileWith(given.includes('file') ? `scanInterval: ${intervals.file}` : '')
    const environment: Record<string, string> = { SYND_CONFIG: config }
    if (given.includes('environment')) environment['SYND_SCAN_INTERVAL'] = intervals.environment
    const flags = given.includes('flag') ? ['--scan-interval', intervals.flag] : []
    const loaded = loadSettings(flags, environment)
    const winner = given.at(-1) ?? 'default'
    const [, milliseconds] = {
      default: [0, 300_000],
      file: [0, 1000],
      environment: [0, 2000],
      flag: [0, 3000],
    }[winner]
    expect(loaded.settings.scanIntervalMs).toBe(milliseconds)
    const described = describeSettings(loaded).find(
      ({ variable }) => variable === 'SYND_SCAN_INTERVAL',
    )
    expect(described).toEqual({
      variable: 'SYND_SCAN_INTERVAL',
      value: intervals[winner],
      source: winner,
    })
  })

  test('the flag names the file before the variable does', () => {
    const fromFlag = fileWith('logLevel: debug', 'flag.yaml')
    const fromVariable = fileWith('logLevel: warn', 'variable.yaml')
    const { settings } = loadSettings(['--config', fromFlag], { SYND_CONFIG: fromVariable })
    expect(settings.logLevel).toBe('debug')
  })

  test('an empty variable is given, not missing', () => {
    const config = fileWith('peers: a')
    expect(loadSettings([], { SYND_CONFIG: config, SYND_PEERS: '' }).settings.peers).toEqual([])
    expect(complaint([], { SYND_GRPC_LISTEN: '' })).toContain('SYND_GRPC_LISTEN is "": expected')
  })
})

test('a flag is written with a space or an equals sign', () => {
  expect(loadSettings(['--grpc-listen', '[::1]:1'], {}).settings.grpcListen).toEqual({
    host: '::1',
    port: 1,
  })
  expect(loadSettings(['--grpc-listen=[::1]:1'], {}).settings.grpcListen).toEqual({
    host: '::1',
    port: 1,
  })
  expect(loadSettings(['--peers='], { SYND_PEERS: 'a' }).settings.peers).toEqual([])
  expect(loadSettings(['--peer-name=a=b'], {}).settings.peerName).toBe('a=b')
  expect(loadSettings(['--peer-name', '007'], {}).settings.peerName).toBe('007')
})

test('a file is JSON or YAML with keys in any usual spelling, and its scalars stay texts', () => {
  const files = [
    '{"grpcListen": "h:1", "peerName": 1e3, "peers": ["a", "b:7"], "sshListen": "off"}',
    'grpc-listen: h:1\npeer-name: 1e3\npeers: [a, b:7]\nssh-listen: off\n',
    'grpc_listen: h:1\npeer_name: 1e3\npeers: a, b:7\nssh_listen: off\n',
    'SYND_GRPC_LISTEN: h:1\nSYND_PEER_NAME: 1e3\nSYND_PEERS: "a,b:7"\nSYND_SSH_LISTEN: off\n',
    'grpc: {listen: "h:1"}\npeer:\n  name: 1e3\npeers:\n  - a\n  - b:7\nssh: {listen: off}\n',
  ]
  for (const text of files) {
    const { settings } = loadSettings(['--config', fileWith(text)], {})
    expect(settings.grpcListen, text).toEqual({ host: 'h', port: 1 })
    expect(settings.peerName).toBe('1e3')
    expect(settings.peers).toMatchObject([{ address: 'a:50051' }, { address: 'b:7' }])
    expect(settings.sshListen).toBeNull()
  }
  expect(loadSettings(['--config', fileWith('')], {}).given.size).toBe(1)
  const empty = loadSettings(['--config', fileWith('{"peers": null, "sshKnownHosts": null}')], {})
  expect(empty.settings).toMatchObject({ peers: [], sshKnownHosts: null })
})

test('paths are absolute, whatever the working directory', () => {
  const { settings } = loadSettings(['--volume', 'some/dir'], {})
  expect(settings.volume).toBe(join(process.cwd(), 'some/dir'))
  expect(settings.stateDir).toBe(join(process.cwd(), 'some/dir/.synd'))
})

describe('what Kubernetes injects for Services is left alone', () => {
  const injected = [
    'SYND_SERVICE_HOST',
    'SYND_SERVICE_PORT',
    'SYND_SERVICE_PORT_GRPC',
    'SYND_PORT',
    'SYND_PORT_50051_TCP',
    'SYND_PORT_50051_TCP_PROTO',
    'SYND_PORT_50051_TCP_PORT',
    'SYND_PORT_50051_TCP_ADDR',
    'SYND_PEERS_SERVICE_HOST',
    'SYND_PEERS_SERVICE_PORT',
    'SYND_PEERS_PORT',
    'SYND_A_B_PORT_7_UDP_ADDR',
  ]
  test.each(injected.map((variable) => [variable] as const))('%s', (variable) => {
    expect(loadSettings([], { [variable]: 'tcp://10.0.0.1:50051' }).ignoredVariables).toEqual([
      variable,
    ])
  })

  test('other unknown variables are not', () => {
    for (const variable of [
      'SYND_X',
      'SYND_',
      'SYND_PORTS',
      'SYND_SERVICE',
      'SYND_PORT_X',
      'SYND_PEER',
    ])
      expect(complaint([], { [variable]: 'x' })).toContain(`${variable} is not a setting: `)
    expect(loadSettings([], { synd_x: 'x', SYNDX: 'x', MY_SYND_X: 'x' }).given.size).toBe(0)
  })
})

describe('bad input is one line that says what, what was expected and what to do', () => {
  const listen = 'host:port such as 0.0.0.0:50051 or [::]:50051'
  const variables: readonly (readonly [Record<string, string>, string])[] = [
    [
      { SYND_GRPC_LISTEN: '50051' },
      `SYND_GRPC_LISTEN is "50051": expected ${listen}; correct it, or leave it out for the default (0.0.0.0:50051)`,
    ],
    [
      { SYND_SCAN_INTERVAL: '10MB' },
      'SYND_SCAN_INTERVAL is "10MB": expected a duration such as 250ms, 5s, 10m or 36h, from 100ms to 500h; correct it, or leave it out for the default (5m)',
    ],
    [
      { SYND_DELETE_BRAKE: '0' },
      'SYND_DELETE_BRAKE is "0": expected a percentage from 0% to 100% such as 50%, or off; correct it, or leave it out for the default (50%)',
    ],
    [
      { SYND_WATCH: 'parcel' },
      'SYND_WATCH is "parcel": expected auto, chokidar or polling (parcel comes in a later version); correct it, or leave it out for the default (auto)',
    ],
    [
      { SYND_MODE: 'sendonly' },
      'SYND_MODE is "sendonly": expected send-receive, send-only or receive-only (did you mean send-only?); correct it, or leave it out for the default (send-receive)',
    ],
    [
      { SYND_LOG_LEVEL: 'trace' },
      'SYND_LOG_LEVEL is "trace": expected debug, info, warn or error; correct it, or leave it out for the default (info)',
    ],
    [
      { SYND_PEERS: 'a,,b' },
      'SYND_PEERS is "a,,b": expected entries separated by single commas, none of them empty; correct it, or leave it out for the default (empty)',
    ],
    [
      { SYND_PEERS: 'a,::1' },
      'SYND_PEERS is "a,::1": expected entries host[:port] or dns:name[:port], not "::1" (an IPv6 address is written [::1]); correct it, or leave it out for the default (empty)',
    ],
    [
      { SYND_PEERS: 'dns:10.0.0.1' },
      'SYND_PEERS is "dns:10.0.0.1": expected a name after dns:, not the address in "dns:10.0.0.1"; correct it, or leave it out for the default (empty)',
    ],
    [
      { SYND_SSH_LISTEN: 'no' },
      'SYND_SSH_LISTEN is "no": expected host:port such as 0.0.0.0:2222 or [::]:2222, or off; correct it, or leave it out for the default (0.0.0.0:2222)',
    ],
    [
      { SYND_SSH_ADVERTISE: 'ssh://me:secret@host:22/data' },
      'SYND_SSH_ADVERTISE is "ssh://me:********@host:22/data": expected ssh://host:port (Synd published elsewhere) or ssh://user@host:port/absolute/path (a stock sshd), without a password; correct it, or leave it out for the default (empty)',
    ],
    [
      { SYND_STATE_DIR: '/data/state' },
      'SYND_STATE_DIR is "/data/state": expected a directory outside SYND_VOLUME (/data), where it would be synced; correct it, or leave it out for the default (<volume>/.synd)',
    ],
    [
      { SYND_SSH_KEY: '/data/key' },
      'SYND_SSH_KEY is "/data/key": expected a file outside SYND_VOLUME (/data), where the peers would get it; correct it, or leave it out for the default (/etc/synd/ssh/id_ed25519)',
    ],
    [
      { SYND_TLS: 'files', SYND_TLS_CERT: '/c', SYND_TLS_KEY: '/k' },
      'SYND_TLS_CA is empty: SYND_TLS=files needs a PEM file; set it',
    ],
    [
      { SYND_TLS_CERT: '/c' },
      'SYND_TLS_CERT is "/c": expected nothing, because SYND_TLS is ssh-keys and not files; correct it, or leave it out for the default (empty)',
    ],
    [{ SYND_GRPC_LISTN: 'x' }, 'SYND_GRPC_LISTN is not a setting: did you mean SYND_GRPC_LISTEN?'],
    [
      { SYND_FROBNICATE: 'x' },
      'SYND_FROBNICATE is not a setting: unset it; synd --help lists the settings',
    ],
    [
      { SYND_CONFIG: '/nowhere/synd.yaml' },
      'SYND_CONFIG: cannot read /nowhere/synd.yaml (ENOENT): correct the path or its permissions',
    ],
    [
      { SYND_CONFIG: '/' },
      'SYND_CONFIG: cannot read / (EISDIR): correct the path or its permissions',
    ],
  ]
  test.each(variables)('%j', (environment, message) => {
    expect(complaint([], environment)).toBe(message)
  })

  const flags: readonly (readonly [readonly string[], string])[] = [
    [['--grpc-listn', 'x'], 'unknown flag "--grpc-listn": did you mean --grpc-listen?'],
    [['--frobnicate'], 'unknown flag "--frobnicate": see synd --help'],
    [['-x'], 'unknown flag "-x": see synd --help'],
    [['extra'], 'unexpected argument "extra": see synd --help'],
    [['--mode'], '--mode has no value: write --mode=VALUE'],
    [['--mode', '--watch', 'auto'], '--mode has no value: write --mode=VALUE'],
    [['--mode', 'send-only', '--mode=send-only'], '--mode is given twice: drop one of them'],
    [
      ['--durability', 'ful'],
      '--durability is "ful": expected full or none (did you mean full?); correct it, or leave it out for the default (full)',
    ],
    [['--GRPC-LISTEN', 'x:1'], 'unknown flag "--GRPC-LISTEN": did you mean --grpc-listen?'],
  ]
  test.each(flags)('%j', (argv, message) => {
    expect(complaint(argv)).toBe(message)
  })

  const files: readonly (readonly [string, string])[] = [
    ['grpcLisen: x', '"grpcLisen" in DIR/settings.yaml is not a setting: did you mean grpcListen?'],
    [
      'foo: 1',
      '"foo" in DIR/settings.yaml is not a setting: drop it; synd --help lists the settings',
    ],
    [
      'config: /x',
      '"config" in DIR/settings.yaml is not a setting: drop it; synd --help lists the settings',
    ],
    ['peers: {a: b}', '"peers.a" in DIR/settings.yaml is not a setting: did you mean peers?'],
    ['volume: [/a, /b]', 'volume in DIR/settings.yaml is no text: expected a single value'],
    [
      'mode: send-only\nMODE: send-only',
      'MODE in DIR/settings.yaml is given twice: drop one of them',
    ],
    [
      'scanInterval: 10',
      'scanInterval in DIR/settings.yaml is "10": expected a duration such as 250ms, 5s, 10m or 36h, from 100ms to 500h; correct it, or leave it out for the default (5m)',
    ],
    [
      '- a',
      'SYND_CONFIG: DIR/settings.yaml has no keys: write lines such as grpcListen: 0.0.0.0:50051',
    ],
    [
      'text',
      'SYND_CONFIG: DIR/settings.yaml has no keys: write lines such as grpcListen: 0.0.0.0:50051',
    ],
    [
      'mode: a: b',
      'SYND_CONFIG: DIR/settings.yaml is neither JSON nor YAML: Nested mappings are not allowed in compact mappings at line 1, column 7',
    ],
    [
      'mode: send-only\nmode: send-only',
      'SYND_CONFIG: DIR/settings.yaml is neither JSON nor YAML: Map keys must be unique at line 2, column 1',
    ],
    [
      '__proto__: {mode: send-only}',
      '"__proto__.mode" in DIR/settings.yaml is not a setting: drop it; synd --help lists the settings',
    ],
  ]
  test.each(files)('a file with %j', (text, message) => {
    expect(complaint(['--config', fileWith(text)])).toBe(message)
  })

  test('a value in the file counts even where a flag is above it', () => {
    expect(complaint(['--config', fileWith('mode: x'), '--mode', 'send-only'])).toContain(
      'mode in DIR',
    )
  })

  test('a key pasted into a setting is not printed', () => {
    const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n'
    expect(complaint([], { SYND_SSH_KEY: key })).not.toContain('b3BlbnNz')
  })
})

test('config check hides what is secret and shows where each value is from', () => {
  const loaded = loadSettings(['--volume', '/srv/../data'], {
    SYND_SSH_KEY_PASSPHRASE_FILE: '/run/secrets/hunter2',
    SYND_PEERS: 'a, b',
  })
  const described = describeSettings(loaded)
  expect(described.map(({ variable }) => variable)).toEqual(
    settingNames.map((name) => schema[name].env),
  )
  expect(JSON.stringify(described)).not.toContain('hunter2')
  expect(described).toContainEqual({ variable: 'SYND_VOLUME', value: '/data', source: 'flag' })
  expect(described).toContainEqual({ variable: 'SYND_PEERS', value: 'a, b', source: 'environment' })
  expect(described).toContainEqual({
    variable: 'SYND_STATE_DIR',
    value: '/data/.synd',
    source: 'default',
  })
  expect(described).toContainEqual({
    variable: 'SYND_SSH_KEY_PASSPHRASE_FILE',
    value: '********',
    source: 'environment',
  })
})

test('what is allowed but probably not meant is a warning', () => {
  const warnings = (environment: Record<string, string>) =>
    settingsWarnings(loadSettings([], environment).settings)
  expect(warnings({ SYND_PEERS: 'a' })).toEqual([])
  expect(warnings({})).toEqual(['SYND_PEERS is empty: there is nobody to sync with'])
  expect(warnings({ SYND_PEERS: 'a', SYND_TLS: 'off' })).toHaveLength(1)
  expect(warnings({ SYND_PEERS: 'a', SYND_SSH_LISTEN: 'off' })).toHaveLength(1)
  expect(
    warnings({ SYND_PEERS: 'a', SYND_SSH_LISTEN: 'off', SYND_SSH_ADVERTISE: 'ssh://u@h/d' }),
  ).toEqual([])
})

test("a child process gets this environment with other settings than this process's own", () => {
  const child = environmentWith(
    { SYND_VOLUME: '/b' },
    { PATH: '/bin', SYND_VOLUME: '/a', SYND_MODE: 'x' },
  )
  expect(child).toEqual({ PATH: '/bin', SYND_VOLUME: '/b' })
})
