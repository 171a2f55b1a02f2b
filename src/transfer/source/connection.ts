import type { Socket } from 'node:net'
import type { AuthContext, Connection, ServerChannel, Session } from 'ssh2'
import { errorCode } from '../../core/errors.ts'
import type { Catalogue, LogLevel } from '../../engine/ports.ts'
import { packetSizeRefusal } from '../algorithms.ts'
import { parseExecRequest, type ExecRequest } from './exec-request.ts'
import { isAuthorized, judgeLogin, type AuthorizedKey } from './login.ts'
import { cleanText } from '../scp-message.ts'
import type { FileReader } from './served-file.ts'
import { SourceChannel, type ChannelHost } from './channel.ts'
import { serveFiles } from './session.ts'
import type { SessionCounts } from './session-counts.ts'
import { answerSession } from './session-requests.ts'

/** Why the source refused something: the reason in synd_rejected_total{surface="ssh"}. */
export type SourceRejection =
  | 'connection-limit'
  | 'login-deadline'
  | 'login'
  | 'protocol'
  | 'session-limit'
  | 'command'
  | 'request'
  | 'forwarding'
  | 'path'
  | 'stalled'
  | 'no-longer-authorized'

/** What the connections of a source share. */
export interface SourceParts {
  readonly catalogue: Catalogue
  readonly reader: FileReader
  /** Asked at each login, so that a changed authorized_keys counts at once. */
  readonly authorized: () => readonly AuthorizedKey[]
  readonly rejected: (reason: SourceRejection) => void
  readonly log: (
    level: LogLevel,
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void
  /** A file went out whole, to the peer with this key. */
  readonly served: (key: string, sizeBytes: number) => void
  /** Of all connections of one key. */
  readonly sessions: SessionCounts
  readonly limits: SourceLimits
}

export interface SourceLimits {
  /** From the TCP connection to the proof of a key. */
  readonly loginMs: number
  /** A sink that takes or says nothing for so long loses its channel. */
  readonly stallMs: number
  readonly keepaliveMs: number
}

/** As OpenSSH's MaxAuthTries. */
const maxLoginAttempts = 6
/** Our own sinks use at most 8 at once. */
const maxSessions = 16
/** ssh2 forgets to free a session that was closed before its exec. */
const maxEmptySessions = 1000
/** A new key exchange is due every so many bytes at most, after the first ones. */
const bytesPerKeyExchange = 32 * 1024
const freeKeyExchanges = 64

const welcome = 'synd: only `scp -f` is offered here, no shell, sftp or anything else'

/** One connection to the embedded source: who it is, and what it may ask. */
export class SourceConnection implements ChannelHost {
  readonly socket: Socket
  readonly address: string
  readonly wakers = new Set<() => void>()
  isExchangingKeys = false
  /** Said something that is SSH. */
  isIdentified = false
  /** The key it proved. */
  key: AuthorizedKey | null = null
  readonly #parts: SourceParts
  readonly #proved: () => void
  #deadline: NodeJS.Timeout | null = null
  #isClosed = false
  #attempts = 0
  #sessions = 0
  #emptySessions = 0
  #keyExchanges = 0

  constructor(options: {
    readonly socket: Socket
    readonly address: string
    readonly parts: SourceParts
    readonly proved: () => void
  }) {
    this.socket = options.socket
    this.address = options.address
    this.#parts = options.parts
    this.#proved = options.proved
  }

  /** Before ssh2 has the socket, so that nothing is written to one that ssh2 has given up. */
  start(): void {
    this.socket.setNoDelay(true)
    this.socket.on('error', () => this.#leave())
    this.socket.on('end', () => this.#leave())
    this.socket.on('close', () => this.#leave())
    this.socket.on('drain', () => this.#wakeAll())
    const { loginMs } = this.#parts.limits
    this.#deadline = setTimeout(() => this.drop('login-deadline'), loginMs)
  }

  /** ssh2 read the other side's identification. */
  attach(connection: Connection): void {
    this.isIdentified = true
    connection.on('error', (error: Error) => this.#failed(error))
    connection.on('authentication', (context: AuthContext) => this.#authenticate(context))
    connection.on('handshake', () => this.#exchangedKeys())
    connection.on('session', (accept, reject) => {
      if (this.#sessions < maxSessions && this.#parts.sessions.enter(this.#keyName))
        return this.#openSession(accept())
      this.#parts.rejected('session-limit')
      reject()
    })
    const refuseForwarding = (_accept: unknown, reject?: () => void): void => {
      this.#parts.rejected('forwarding')
      reject?.()
    }
    connection.on('tcpip', refuseForwarding)
    connection.on('openssh.streamlocal', refuseForwarding)
    connection.on('request', refuseForwarding)
  }

  get #keyName(): string {
    return this.key?.fingerprint ?? ''
  }

  get isIdle(): boolean {
    return this.#sessions === 0
  }

  isClosed(): boolean {
    return this.#isClosed
  }

  /** Cuts the connection. */
  drop(reason: SourceRejection): void {
    if (this.#isClosed) return
    this.#parts.rejected(reason)
    this.#parts.log('debug', 'ssh connection dropped', { address: this.address, reason })
    this.stop()
  }

  stop(): void {
    this.#leave()
    this.socket.destroy()
  }

  #leave(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline)
    if (!this.#isClosed)
      for (let count = 0; count < this.#sessions; count++) this.#parts.sessions.leave(this.#keyName)
    this.#isClosed = true
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const wake of this.wakers) wake()
  }

  #failed(error: Error): void {
    const code = 'code' in error ? error.code : undefined
    const isTimeout = 'level' in error && error.level === 'client-timeout'
    if (!this.#isClosed && code !== 'ECONNRESET' && code !== 'EPIPE') {
      this.#parts.rejected(isTimeout ? 'stalled' : 'protocol')
      this.#parts.log('debug', 'ssh connection failed', {
        address: this.address,
        error: cleanText(error.message),
      })
    }
    this.stop()
  }

  #authenticate(context: AuthContext): void {
    const verdict = judgeLogin(context, this.#parts.authorized())
    if (verdict.kind === 'offered') return context.accept()
    if (verdict.kind === 'proved') {
      if (this.#deadline !== null) clearTimeout(this.#deadline)
      this.key = verdict.key
      this.#proved()
      if (!this.#isClosed) context.accept()
      return
    }
    // Clients ask with `none` which methods there are.
    if (context.method !== 'none') {
      this.#parts.rejected('login')
      this.#parts.log('debug', 'ssh login refused', {
        address: this.address,
        reason: verdict.reason,
      })
    }
    this.#attempts++
    context.reject(['publickey'])
    if (this.#attempts >= maxLoginAttempts) this.stop()
  }

  #exchangedKeys(): void {
    this.isExchangingKeys = false
    this.#wakeAll()
    this.#keyExchanges++
    const moved = this.socket.bytesRead + this.socket.bytesWritten
    const isStorm = this.#keyExchanges > freeKeyExchanges + moved / bytesPerKeyExchange
    if (isStorm || (this.key === null && this.#keyExchanges > 1)) this.drop('protocol')
  }

  #openSession(session: Session): void {
    this.#sessions++
    answerSession(session, {
      exec: (channel, command) => this.#exec(channel, parseExecRequest(command)),
      refuse: (channel) => this.#refuse(channel, welcome),
      refused: () => this.#parts.rejected('request'),
      closed: (isUsed) => {
        this.#sessions--
        if (!this.#isClosed) this.#parts.sessions.leave(this.#keyName)
        if (!isUsed && ++this.#emptySessions > maxEmptySessions) this.drop('protocol')
      },
    })
  }

  #refuse(channel: ServerChannel, words: string): void {
    this.#parts.rejected('command')
    this.#openChannel(channel)?.finish(1, words)
  }

  #exec(channel: ServerChannel, exec: ExecRequest): void {
    if (exec.kind === 'refused') return this.#refuse(channel, `synd: ${exec.message}`)
    const opened = this.#openChannel(channel)
    if (opened !== null) void this.#serve(opened, exec)
  }

  /** Null when nothing may ever be written to it. */
  #openChannel(channel: ServerChannel): SourceChannel | null {
    if (packetSizeRefusal(channel) !== null) {
      this.drop('protocol')
      return null
    }
    const source = new SourceChannel(channel, this, { stallMs: this.#parts.limits.stallMs })
    source.start()
    return source
  }

  /** Never rejects. */
  async #serve(
    channel: SourceChannel,
    exec: Exclude<ExecRequest, { readonly kind: 'refused' }>,
  ): Promise<void> {
    const { catalogue, reader, served, rejected, log } = this.#parts
    const key = this.key?.fingerprint ?? ''
    try {
      const isComplete = await serveFiles(channel, exec, {
        catalogue,
        reader,
        served: (sizeBytes) => served(key, sizeBytes),
        refusedPath: () => rejected('path'),
      })
      this.#finish(channel, isComplete ? 0 : 1, null)
    } catch (error) {
      const code = errorCode(error)
      if (code === 'protocol') return this.drop('protocol')
      if (code === 'stalled') rejected('stalled')
      else if (code !== 'aborted') {
        log(code === null ? 'error' : 'warn', 'a file could not be sent', {
          error: error instanceof Error ? error.message : String(error),
        })
      }
      this.#finish(channel, 1, code === 'aborted' ? null : 'synd: the file could not be sent')
    }
  }

  #finish(channel: SourceChannel, exitCode: number, words: string | null): void {
    try {
      channel.finish(exitCode, words)
    } catch {
      // ssh2 throws when it has given the connection up.
      this.stop()
    }
  }

  /** Cuts the connection when its key is not authorized any more. */
  requireAuthorized(): void {
    if (this.key !== null && !isAuthorized(this.#parts.authorized(), this.key))
      this.drop('no-longer-authorized')
  }
}
