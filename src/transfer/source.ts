import { createServer, type Server as TcpServer, type Socket } from 'node:net'
import ssh2 from 'ssh2'
import type { Connection, Server as SshServer } from 'ssh2'
import type { KeyFingerprint } from '../core/credentials.ts'
import { SyndError } from '../core/errors.ts'
import type { Catalogue, LogLevel } from '../engine/ports.ts'
import { algorithms } from './algorithms.ts'
import { createCrowd, type Crowd } from './source/crowd.ts'
import type { AuthorizedKey } from './source/login.ts'
import type { FileReader } from './source/served-file.ts'
import { freeWritten } from './source/freed-writes.ts'
import { createSessionCounts } from './source/session-counts.ts'
import {
  SourceConnection,
  type SourceLimits,
  type SourceParts,
  type SourceRejection,
} from './source/connection.ts'

export interface SourceOptions {
  /** SYND_SSH_LISTEN; port 0 lets the system choose. */
  readonly listen: { readonly host: string; readonly port: number }
  /** This peer's private key as ssh2 reads it (OpenSSH or PEM text, not encrypted): peers pin it. */
  readonly hostKey: string
  readonly catalogue: Catalogue
  readonly reader: FileReader
  /** The keys that may log in now. */
  readonly authorized: () => readonly AuthorizedKey[]
  /** Called for everything refused, with surface `ssh`. */
  readonly rejected: (surface: 'ssh', reason: SourceRejection) => void
  readonly log: (
    level: LogLevel,
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void
  /** A file went out whole to the peer with this key. */
  readonly served?: (key: KeyFingerprint, sizeBytes: number) => void
  /** For tests: shorter times. */
  readonly limits?: Partial<SourceLimits>
}

/** The embedded SSH server from which peers, and people with a stock `scp -O`, pull files. */
export interface Source {
  /** Throws SyndError `address-in-use`, or `io` where the address cannot be listened on. */
  start(): Promise<void>
  /** The port it listens on. */
  port(): number
  /** Cuts the connections whose keys are authorized no longer. */
  dropUnauthorized(): void
  /** Cuts everything. */
  stop(): Promise<void>
}

const defaultLimits: SourceLimits = { loginMs: 10_000, stallMs: 60_000, keepaliveMs: 15_000 }

/** Before login: idle connections push out each other, those that said nothing first. */
const maxStrangers = 256
const maxStrangersPerAddress = 128
/** After login: a fleet may share one key. */
const maxMembers = 512
const maxMembersPerKey = 256
/** Hosts that share a key have eight each at most; each holds less than a megabyte for who does not read. */
const maxSessionsPerKey = 128

/** What SSH tells of the program before anybody logged in. */
const identification = 'Synd'

export function createSource(options: SourceOptions): Source {
  return new EmbeddedSource(options)
}

class EmbeddedSource implements Source {
  readonly #options: SourceOptions
  readonly #parts: SourceParts
  readonly #tcp: TcpServer
  readonly #ssh: SshServer
  readonly #connections = new Map<string, SourceConnection>()
  readonly #strangers: Crowd<SourceConnection> = createCrowd({
    max: maxStrangers,
    maxPerGroup: maxStrangersPerAddress,
    isExpendable: (connection) => !connection.isIdentified,
    otherwise: 'oldest',
  })
  readonly #members: Crowd<SourceConnection> = createCrowd({
    max: maxMembers,
    maxPerGroup: maxMembersPerKey,
    isExpendable: (connection) => connection.isIdle,
    otherwise: 'newest',
  })

  constructor(options: SourceOptions) {
    const limits = { ...defaultLimits, ...options.limits }
    this.#options = options
    this.#parts = {
      catalogue: options.catalogue,
      reader: options.reader,
      authorized: options.authorized,
      rejected: (reason) => options.rejected('ssh', reason),
      log: options.log,
      served: options.served ?? (() => undefined),
      sessions: createSessionCounts(maxSessionsPerKey),
      limits,
    }
    this.#ssh = new ssh2.Server({
      hostKeys: [options.hostKey],
      algorithms,
      ident: identification,
      keepaliveInterval: limits.keepaliveMs,
      keepaliveCountMax: 3,
    })
    // Sockets are admitted here first: ssh2 shows none before it identified itself.
    this.#tcp = createServer({ allowHalfOpen: false }, (socket) => this.#admit(socket))
  }

  async start(): Promise<void> {
    const { host, port } = this.#options.listen
    this.#ssh.on('connection', (connection: Connection, { ip, port }) => {
      const admitted = this.#connections.get(nameOf(ip, port))
      if (admitted === undefined) connection.end()
      else admitted.attach(connection)
    })
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once('error', (cause) => reject(listenError(this.#options.listen, cause)))
      this.#tcp.listen({ host, port, backlog: 1024 }, resolve)
    })
    this.#tcp.on('error', (error) => {
      this.#parts.log('warn', 'the scp source cannot accept a connection', { error: error.message })
    })
  }

  port(): number {
    const address = this.#tcp.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  dropUnauthorized(): void {
    for (const connection of this.#connections.values()) connection.requireAuthorized()
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#tcp.close(() => resolve())
    })
    for (const connection of this.#connections.values()) connection.stop()
    await closed
  }

  #admit(socket: Socket): void {
    freeWritten(socket)
    const { remoteAddress, remotePort } = socket
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy()
      return
    }
    const name = nameOf(remoteAddress, remotePort)
    // The same host and port towards two of our addresses: ssh2 tells them apart as little as this map does.
    if (this.#connections.has(name)) {
      socket.destroy()
      return
    }
    const connection = new SourceConnection({
      socket,
      address: remoteAddress,
      parts: this.#parts,
      proved: () => this.#promote(connection),
    })
    this.#connections.set(name, connection)
    socket.once('close', () => {
      this.#connections.delete(name)
      this.#strangers.leave(connection)
      this.#members.leave(connection)
    })
    connection.start()
    this.#dropFrom(this.#strangers, this.#strangers.enter(connection, remoteAddress))
    if (!connection.isClosed()) this.#ssh.injectSocket(socket)
  }

  #promote(connection: SourceConnection): void {
    this.#strangers.leave(connection)
    const key = connection.key?.fingerprint ?? ''
    this.#dropFrom(this.#members, this.#members.enter(connection, key))
  }

  #dropFrom(crowd: Crowd<SourceConnection>, leaver: SourceConnection | null): void {
    if (leaver === null) return
    crowd.leave(leaver)
    leaver.drop('connection-limit')
  }
}

function nameOf(address: string, port: number): string {
  return `${address}|${port}`
}

function listenError(listen: { host: string; port: number }, cause: Error): SyndError {
  const where = `SYND_SSH_LISTEN: cannot listen on ${listen.host}:${listen.port}`
  const code = 'code' in cause ? cause.code : undefined
  if (code === 'EADDRINUSE') {
    return new SyndError('address-in-use', `${where}: another process has this port`, { cause })
  }
  return new SyndError('io', `${where}: ${cause.message}`, { cause })
}
