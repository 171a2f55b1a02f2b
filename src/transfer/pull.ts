import type { KeyFingerprint } from '../core/credentials.ts'
import { SyndError } from '../core/errors.ts'
import type { LogLevel, Pulled, PullRequest, PullTarget, Stage, Transfer } from '../engine/ports.ts'
import { planCommands } from './command.ts'
import { Connections, type PooledTarget } from './sink/connections.ts'
import type { SinkLimits } from './sink/connection.ts'
import { Pull } from './sink/pull.ts'

/** Why the sink refused something: the reason in synd_rejected_total{surface="scp"}. */
export type SinkRejection = 'host-key' | 'record' | 'content'

export interface TransferOptions {
  /** This peer's private key as ssh2 reads it (OpenSSH or PEM text, not encrypted). */
  readonly privateKey: string
  /** The fingerprint of the key in an SSH blob; null for what is no key of ours. */
  readonly fingerprintOfBlob: (blob: Buffer) => KeyFingerprint | null
  /** Whether a peer's key is authorized now. */
  readonly isAuthorized: (key: KeyFingerprint) => boolean
  /** Whether SYND_SSH_KNOWN_HOSTS has the key for that very host and port. */
  readonly isKnownHost: (host: string, port: number, blob: Buffer) => boolean
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
  /** Gives up the connections to peers whose keys are authorized no longer. */
  dropUnauthorized(): void
}

const defaultLimits: SinkLimits = {
  loginMs: 10_000,
  stallMs: 30_000,
  idleMs: 5 * 60_000,
  keepaliveMs: 15_000,
}

/** The embedded server lets everybody be anybody: only the key counts. */
const embeddedUser = 'synd'

export function createTransfer(options: TransferOptions): ScpTransfer {
  const limits = { ...defaultLimits, ...options.limits }
  const connections = new Connections({ privateKey: options.privateKey, limits })

  async function* pull(
    target: PullTarget,
    requests: readonly PullRequest[],
    createStage: (request: PullRequest) => Promise<Stage>,
    signal: AbortSignal,
  ): AsyncGenerator<Pulled> {
    if (requests.length === 0) return
    const pooled = pooledTarget(target, options)
    const running = new Pull({
      requests,
      plan: (rest) => planCommands(target.source, rest),
      createStage,
      connect: () => connections.get(pooled),
      stallMs: limits.stallMs,
      refused: (reason, text) => {
        options.rejected('scp', reason)
        options.log('warn', 'a source was refused', { address: target.address, reason, text })
      },
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
    dropUnauthorized: () => connections.dropUntrusted(),
    stop: () => connections.stop(),
  }
}

function pooledTarget(target: PullTarget, options: TransferOptions): PooledTarget {
  const { source } = target
  if (source.kind === 'none')
    throw new SyndError('refused', 'the peer offers no source to pull from')
  if (source.kind === 'embedded')
    return {
      name: `embedded ${target.key} ${target.host}:${source.port}`,
      host: target.host,
      port: source.port,
      user: embeddedUser,
      retryMs: 2000,
      maxRetryMs: 60_000,
      hostKeyRefusal: counted(options, (blob) => embeddedRefusal(blob, target.key, options)),
    }
  return {
    name: `openssh ${source.user}@${source.host}:${source.port}`,
    host: source.host,
    port: source.port,
    user: source.user,
    // sshd's PerSourcePenalties shut out for as long as this.
    retryMs: 30_000,
    maxRetryMs: 10 * 60_000,
    hostKeyRefusal: counted(options, (blob) => {
      if (options.isKnownHost(source.host, source.port, blob)) return null
      return 'its host key is not in SYND_SSH_KNOWN_HOSTS for this host and port'
    }),
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
