/**
 * Every setting of Synd: the one table that the program, `synd --help` and the README's table are checked against. convict lays the
 * texts of the sources over each other; `format` turns the winning text into the value.
 */
import { parseListenAddress, parseListenAddressOrOff } from './addresses.ts'
import {
  listOf,
  oneOf,
  parseIntervalMs,
  parseOptionalName,
  parseOptionalPath,
  parsePath,
  parseShareOrOff,
} from './formats.ts'
import { formatPeer, parsePeer } from './peer-address.ts'
import { parseSshAdvertise } from './ssh-advertise.ts'

interface Setting {
  readonly doc: string
  /** The value of the whole text, or FormatError. */
  readonly format: (text: string) => unknown
  readonly default: string
  /** What the empty default stands for. */
  readonly derived?: string
  readonly env: `SYND_${string}`
  /** Not shown by `synd config check`. */
  readonly sensitive?: true
}

/** By name: meaning, format, default and environment variable of each setting. */
export const schema = {
  config: {
    doc: 'a file with settings, JSON or YAML; keys are the variables without SYND_: grpcListen or grpc-listen',
    format: parseOptionalPath,
    default: '',
    env: 'SYND_CONFIG',
  },
  volume: {
    doc: 'the directory kept equal on all peers; must exist',
    format: parsePath,
    default: '/data',
    env: 'SYND_VOLUME',
  },
  stateDir: {
    doc: "the index and this peer's id; staging always stays in <volume>/.synd",
    format: parseOptionalPath,
    default: '',
    derived: '<volume>/.synd',
    env: 'SYND_STATE_DIR',
  },
  peerName: {
    doc: 'for people: logs, metrics, status',
    format: parseOptionalName,
    default: '',
    derived: 'host name',
    env: 'SYND_PEER_NAME',
  },
  peers: {
    doc: 'host[:port] or dns:name[:port], comma separated; both sides list each other',
    format: listOf(parsePeer, formatPeer),
    default: '',
    env: 'SYND_PEERS',
  },
  mode: {
    doc: 'send-receive, send-only (takes nothing from the peers) or receive-only (sends nothing of its own)',
    format: oneOf(['send-receive', 'send-only', 'receive-only']),
    default: 'send-receive',
    env: 'SYND_MODE',
  },
  grpcListen: {
    doc: 'change notifications',
    format: parseListenAddress,
    default: '0.0.0.0:50051',
    env: 'SYND_GRPC_LISTEN',
  },
  sshListen: {
    doc: "the embedded SCP source; off when the host's own sshd serves the volume",
    format: parseListenAddressOrOff,
    default: '0.0.0.0:2222',
    env: 'SYND_SSH_LISTEN',
  },
  sshAdvertise: {
    doc: "where peers pull from, if not the embedded server's own port: ssh://host:port or ssh://user@host:port/path",
    format: parseSshAdvertise,
    default: '',
    env: 'SYND_SSH_ADVERTISE',
  },
  httpListen: {
    doc: 'metrics, health, status',
    format: parseListenAddress,
    default: '0.0.0.0:9464',
    env: 'SYND_HTTP_LISTEN',
  },
  sshKey: {
    doc: "this peer's private key; nobody else may read it",
    format: parsePath,
    default: '/etc/synd/ssh/id_ed25519',
    env: 'SYND_SSH_KEY',
  },
  sshKeyPassphraseFile: {
    doc: 'a file with the passphrase of an encrypted key',
    format: parseOptionalPath,
    default: '',
    env: 'SYND_SSH_KEY_PASSPHRASE_FILE',
    sensitive: true,
  },
  sshAuthorizedKeys: {
    doc: 'public keys of the peers, one a line; re-read when it changes',
    format: parsePath,
    default: '/etc/synd/ssh/authorized_keys',
    env: 'SYND_SSH_AUTHORIZED_KEYS',
  },
  sshKnownHosts: {
    doc: 'host keys of stock sshds',
    format: parseOptionalPath,
    default: '',
    env: 'SYND_SSH_KNOWN_HOSTS',
  },
  tls: {
    doc: 'ssh-keys: mutual TLS derived from the same keys; files: SYND_TLS_CERT, _KEY, _CA; off: for a service mesh',
    format: oneOf(['ssh-keys', 'files', 'off']),
    default: 'ssh-keys',
    env: 'SYND_TLS',
  },
  tlsCert: {
    doc: 'certificate chain (PEM) for SYND_TLS=files',
    format: parseOptionalPath,
    default: '',
    env: 'SYND_TLS_CERT',
  },
  tlsKey: {
    doc: "the certificate's private key (PEM) for SYND_TLS=files",
    format: parseOptionalPath,
    default: '',
    env: 'SYND_TLS_KEY',
  },
  tlsCa: {
    doc: "certificates (PEM) that must have issued the peers' for SYND_TLS=files",
    format: parseOptionalPath,
    default: '',
    env: 'SYND_TLS_CA',
  },
  watch: {
    doc: 'how changes are noticed: auto, chokidar or polling',
    format: oneOf(['auto', 'chokidar', 'polling'], ['parcel']),
    default: 'auto',
    env: 'SYND_WATCH',
  },
  deleteBrake: {
    doc: 'share of the entries whose unannounced loss is held back; off',
    format: parseShareOrOff,
    default: '50%',
    env: 'SYND_DELETE_BRAKE',
  },
  scanIntervalMs: {
    doc: 'full scan, jittered by a quarter',
    format: parseIntervalMs,
    default: '5m',
    env: 'SYND_SCAN_INTERVAL',
  },
  durability: {
    doc: 'full: data and directory reach the disk before the index says so; none',
    format: oneOf(['full', 'none']),
    default: 'full',
    env: 'SYND_DURABILITY',
  },
  logLevel: {
    doc: 'debug, info, warn or error; JSON lines on stdout, readable text when stdout is a terminal',
    format: oneOf(['debug', 'info', 'warn', 'error']),
    default: 'info',
    env: 'SYND_LOG_LEVEL',
  },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof schema

/** Every setting's value, by name. */
export type Values = { readonly [Name in SettingName]: ReturnType<(typeof schema)[Name]['format']> }

/** The settings in the order of the table. */
export const settingNames = parseNames(Object.keys(schema))

/** What the table says of one setting. */
export function settingOf(name: SettingName): Setting {
  return schema[name]
}

/** `--grpc-listen` for `SYND_GRPC_LISTEN`. */
export function flagOf(name: SettingName): string {
  return `--${schema[name].env.slice('SYND_'.length).toLowerCase().replaceAll('_', '-')}`
}

/** The default as people read it. */
export function describeDefault(name: SettingName): string {
  const setting = settingOf(name)
  return setting.derived ?? (setting.default === '' ? 'empty' : setting.default)
}

function parseNames(keys: readonly string[]): readonly SettingName[] {
  return keys.filter((key): key is SettingName => Object.hasOwn(schema, key))
}
