import type { HostKeyVerdict, KeyFingerprint } from '../core/credentials.ts'
import { SyndError } from '../core/errors.ts'
import type { LogLevel, Pulled, PullRequest, PullTarget, Stage, Transfer } from '../engine/ports.ts'
import { BulkLane } from './bulk/lane.ts'
import { planCommands } from './command.ts'
import { Connections, type Patience, type PooledTarget } from './sink/connections.ts'
import type { SinkConnection, SinkLimits } from './sink/connection.ts'
import { Pull } from './sink/pull.ts'
import { explainSilence, hostKeyRefusal, unknownHost } from './stock-sshd.ts'

/** Why the sink refused something: the reason in synd_rejected_total{surface="scp"}. */
export type SinkRejection = 'host-key' | 'record' | 'content'

export interface TransferOptions {
  /** This peer's private key as ssh2 reads it (OpenSSH or PEM text, not encrypted). */
  readonly privateKey: string
  /** The fingerprint of the key in an SSH blob; null for what is no key of ours. */
  readonly fingerprintOfBlob: (blob: Buffer) => KeyFingerprint | null
  /** Whether a peer's key is authorized now. */
  readonly isAuthorized: (key: KeyFingerprint) => boolean
  /** SYND_SSH_KNOWN_HOSTS, for stock sshds: of that very host and port. */
  readonly knownHosts: {
    judge(host: string, port: number, keyBlob: Buffer): HostKeyVerdict
    /** SSH's names of the kinds of keys that are listed. */
    keyTypes(host: string, port: number): readonly string[]
  }
  /** Called for everything refused, with surface `scp`. */
  readonly rejected: (surface: 'scp', reason: SinkRejection) => void
  readonly log: (
    level: LogLevel,
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void
  /** For tests: shorter times. */
  readonly limits?: Partial<SinkLimits>
}

/** Pulls files over SCP. */
export interface ScpTransfer extends Transfer {
  /** authorized_keys or known_hosts changed: gives up the connections to those who are not trusted any more, and tries the others again. */
  trustChanged(): void
}

const defaultLimits: SinkLimits = {
  loginMs: 10_000,
  stallMs: 30_000,
  idleMs: 5 * 60_000,
  keepaliveMs: 15_000,
}

/** A peer that was restarted is back within a moment. */
const embeddedPatience: Patience = {
  lostMs: 250,
  maxLostMs: 5_000,
  refusedMs: 2_000,
  maxRefusedMs: 60_000,
}
/** sshd's MaxStartups and PerSourcePenalties shut out who comes too often: for 30 s and more after failed logins. */
const sshdPatience: Patience = {
  lostMs: 1_000,
  maxLostMs: 60_000,
  refusedMs: 30_000,
  maxRefusedMs: 600_000,
}

/** From this size on a file is worth a thread; smaller ones take the event loop for a few milliseconds each. */
const bulkBytes = 8 * 1024 * 1024

/** The embedded server lets everybody be anybody: only the key counts. */
const embeddedUser = 'synd'

export function createTransfer(options: TransferOptions): ScpTransfer {
  const limits = { ...defaultLimits, ...options.limits }
  const { privateKey } = options
  const connections = new Connections({ privateKey, limits })
  const bulk = new BulkLane({ privateKey, limits })
  const listeners: (() => void)[] = []

  async function* pull(
    target: PullTarget,
    requests: readonly PullRequest[],
    createStage: (request: PullRequest) => Promise<Stage>,
    signal: AbortSignal,
  ): AsyncGenerator<Pulled> {
    if (requests.length === 0) return
    const pooled = pooledTarget(target, options)
    const connect = (): Promise<SinkConnection> => connections.get(pooled)
    const refused = (reason: SinkRejection, text: string): void => {
      options.rejected('scp', reason)
      options.log('warn', 'a source was refused', { address: target.address, reason, text })
    }
    const [first] = requests
    const isBulk = requests.length === 1 && target.source.kind === 'embedded'
    if (isBulk && first !== undefined && first.sizeBytes >= bulkBytes) {
      const stage = await createStage(first)
      const order = { target: pooled, connect, request: first, stage, refused, signal }
      const pulled = await bulk.pull(order)
      if (pulled !== null) {
        yield pulled
        return
      }
      createStage = async () => stage
    }
    const running = new Pull({
      requests,
      plan: (rest) => planCommands(target.source, rest),
      createStage,
      connect,
      isBehindShell: target.source.kind === 'openssh',
      explain: (text) => `${pooled.host}:${pooled.port}: ${pooled.explain(text)}`,
      stallMs: limits.stallMs,
      refused,
    })
    const abort = (): void => running.abort()
    signal.addEventListener('abort', abort, { once: true })
    try {
      running.start()
      if (signal.aborted) abort()
      for (let index = 0; index < requests.length; index++) yield await running.take(index)
    } finally {
      signal.removeEventListener('abort', abort)
      await running.stop()
    }
  }

  return {
    pull,
    onTrustChange: (listener) => void listeners.push(listener),
    trustChanged: () => {
      connections.trustChanged()
      bulk.trustChanged()
      for (const listener of listeners) listener()
    },
    stop: async () => {
      await Promise.all([connections.stop(), bulk.stop()])
    },
  }
}

function pooledTarget(target: PullTarget, options: TransferOptions): PooledTarget {
  const { source } = target
  if (source.kind === 'none')
    throw new SyndError(
      'refused',
      'it offers no source: SYND_SSH_LISTEN is off there and SYND_SSH_ADVERTISE is empty',
    )
  if (source.kind === 'embedded')
    return {
      name: `embedded ${target.key} ${target.host}:${source.port}`,
      host: target.host,
      port: source.port,
      user: embeddedUser,
      keyTypes: [],
      patience: embeddedPatience,
      hostKeyRefusal: counted(options, (blob) => embeddedRefusal(blob, target.key, options)),
      explain: (text) => `the source sends no files: ${text}`,
    }
  const { host, port, user } = source
  const keyTypes = options.knownHosts.keyTypes(host, port)
  // Nobody who is a member should make us connect to anywhere else.
  if (keyTypes.length === 0) {
    options.rejected('scp', 'host-key')
    throw new SyndError('untrusted', `${host}:${port}: ${unknownHost(source)}`)
  }
  return {
    name: `openssh ${user}@${host}:${port}`,
    host,
    port,
    user,
    keyTypes,
    patience: sshdPatience,
    hostKeyRefusal: counted(options, (blob) =>
      hostKeyRefusal(options.knownHosts.judge(host, port, blob), { host, port, blob }),
    ),
    explain: explainSilence,
  }
}

function counted(
  options: TransferOptions,
  refusalOf: (blob: Buffer) => string | null,
): (blob: Buffer) => string | null {
  return (blob) => {
    const refusal = refusalOf(blob)
    if (refusal !== null) options.rejected('scp', 'host-key')
    return refusal
  }
}

/** Both the key that the peer proved by TLS, where it has proved one, and authorized_keys must say yes. */
function embeddedRefusal(
  blob: Buffer,
  proved: KeyFingerprint,
  options: TransferOptions,
): string | null {
  const key = options.fingerprintOfBlob(blob)
  if (key === null) return 'its host key is of no kind that is used here'
  if (proved !== '' && key !== proved) return 'its host key is not the key that this peer proved'
  if (!options.isAuthorized(key)) return 'its host key is not in SYND_SSH_AUTHORIZED_KEYS'
  return null
}
