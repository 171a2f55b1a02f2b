import type { X509Certificate } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, Server as TlsServer, type TLSSocket } from 'node:tls'
import { SyndError } from '../core/errors.ts'
import { contextOptions, type Credentials } from './credentials.ts'
import type { Rejected, RejectionReason } from './rejection.ts'

/** A peer needs one connection; a fleet of hosts is well below. Whoever has most of them loses one for each newcomer. */
const defaultMaxConnections = 512
/** Handshakes take milliseconds; strangers that hold them open push each other out. */
const maxHandshakes = 256
const handshakeTimeoutMs = 10_000

export interface ListenerOptions {
  readonly host: string
  readonly port: number
  /** Null: TLS is off, every connection is admitted. */
  readonly credentials: Credentials | null
  readonly rejected: Rejected
  /** A refusal, for the log. */
  readonly refused: (reason: RejectionReason, fields: Record<string, unknown>) => void
  /** The socket itself failed, such as for want of file descriptors. */
  readonly failed: (error: Error) => void
  /** For tests: fewer. */
  readonly maxConnections?: number
  /** A connection whose key is believed. */
  readonly admit: (socket: Socket) => void
}

/**
 * The socket that peers dial. It does TLS itself, before grpc-js sees a byte: so a stranger reaches no HTTP/2, every refusal has a reason that
 * is counted, new credentials need no new listener, and a removed key loses its connections at once.
 */
export class Listener {
  readonly #options: ListenerOptions
  /** By remote address: a TLS socket does not name the one below it. */
  readonly #handshakes = new Map<string, Socket>()
  readonly #maxConnections: number
  readonly #admitted = new Map<Socket, X509Certificate | null>()
  #server: Server | null = null
  #unsubscribe: () => void = () => {}

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#maxConnections = options.maxConnections ?? defaultMaxConnections
  }

  /** Resolves with the port; rejects with `address-in-use` or `bad-settings`. */
  async start(): Promise<number> {
    const { credentials, host, port } = this.#options
    const server = credentials === null ? this.#plainServer() : this.#tlsServer(credentials)
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, `${host}:${port}`)))
      server.listen({ host, port }, resolve)
    })
    server.on('error', this.#options.failed)
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  /** Closes the socket and every connection at once. */
  stop(): void {
    this.#unsubscribe()
    this.#server?.close()
    for (const socket of [...this.#handshakes.values(), ...this.#admitted.keys()]) socket.destroy()
  }

  #plainServer(): Server {
    return createServer({ noDelay: true }, (socket) => this.#admit(socket, null))
  }

  #tlsServer(credentials: Credentials): Server {
    const server = createTlsServer({
      ...contextOptions(credentials),
      ALPNProtocols: ['h2'],
      requestCert: true,
      // Looked at below: Node would close the connection without a word.
      rejectUnauthorized: false,
      handshakeTimeout: handshakeTimeoutMs,
    })
    server.on('connection', (socket: Socket) => this.#greet(socket))
    server.on('secureConnection', (socket) => this.#check(socket, credentials))
    server.on('tlsClientError', (error, socket) => this.#failed(error, socket))
    this.#unsubscribe = credentials.onChange(() => this.#renew(server, credentials))
    return server
  }

  /** A connection that says nothing yet. */
  #greet(socket: Socket): void {
    socket.setNoDelay()
    socket.on('error', () => {})
    const from = remoteOf(socket)
    this.#handshakes.set(from, socket)
    socket.once('close', () => this.#handshakes.delete(from))
    if (this.#handshakes.size <= maxHandshakes) return
    const [oldest] = this.#handshakes.values()
    if (oldest !== undefined) this.#refuse(oldest, 'too-many-connections')
  }

  #check(socket: TLSSocket, credentials: Credentials): void {
    socket.on('error', () => {})
    this.#handshakes.delete(remoteOf(socket))
    const certificate = socket.getPeerX509Certificate()
    const reason = refusalOf(socket, certificate)
    if (certificate === undefined || reason !== null) {
      this.#refuse(socket, reason ?? 'no-certificate')
    } else if (credentials.keyOfPeer(certificate, null) === null) {
      this.#refuse(socket, 'untrusted-key', { issuer: certificate.issuer })
    } else this.#admit(socket, certificate)
  }

  #failed(error: Error, socket: TLSSocket): void {
    const code = 'code' in error ? String(error.code) : error.message
    // Somebody looked whether the port is open.
    const isProbe = code === 'ECONNRESET'
    if (!isProbe) this.#refuse(socket, 'tls-failed', { code })
    socket.destroy()
  }

  #admit(socket: Socket, certificate: X509Certificate | null): void {
    const leaver = this.#admitted.size < this.#maxConnections ? null : this.#oldestOfMost()
    if (leaver !== null) this.#refuse(leaver, 'too-many-connections')
    socket.on('error', () => {})
    const address = socket.remoteAddress
    onSessionError(socket, (error) =>
      this.#refuse(socket, 'http2', { address, error: error.message }),
    )
    this.#admitted.set(socket, certificate)
    socket.once('close', () => this.#admitted.delete(socket))
    this.#options.admit(socket)
  }

  #renew(server: TlsServer, credentials: Credentials): void {
    server.setSecureContext(contextOptions(credentials))
    for (const [socket, certificate] of this.#admitted) {
      if (certificate !== null && credentials.keyOfPeer(certificate, null) === null) {
        this.#refuse(socket, 'untrusted-key', { issuer: certificate.issuer })
      }
    }
  }

  #refuse(socket: Socket, reason: RejectionReason, fields: Record<string, unknown> = {}): void {
    this.#options.rejected('grpc', reason)
    this.#options.refused(reason, { address: socket.remoteAddress, ...fields })
    this.#admitted.delete(socket)
    socket.destroy()
  }

  /** Of the key that has most connections the oldest; of the address when TLS is off. */
  #oldestOfMost(): Socket | null {
    const groups = new Map<string, Socket[]>()
    for (const [socket, certificate] of this.#admitted) {
      const group = certificate?.issuer ?? socket.remoteAddress ?? ''
      const sockets = groups.get(group)
      if (sockets === undefined) groups.set(group, [socket])
      else sockets.push(socket)
    }
    const [largest] = [...groups.values()].toSorted((a, b) => b.length - a.length)
    return largest?.[0] ?? null
  }
}

/** Why a handshake that TLS itself let pass is none of a peer's. */
function refusalOf(
  socket: TLSSocket,
  certificate: X509Certificate | undefined,
): RejectionReason | null {
  if (certificate === undefined) return 'no-certificate'
  if (!socket.authorized) {
    const reason: unknown = socket.authorizationError
    return reason === 'CERT_HAS_EXPIRED' || reason === 'CERT_NOT_YET_VALID'
      ? 'expired-certificate'
      : 'untrusted-certificate'
  }
  return socket.alpnProtocol === 'h2' ? null : 'tls-failed'
}

function remoteOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}

function listenError(error: Error, address: string): SyndError {
  const code = 'code' in error ? String(error.code) : error.message
  if (code === 'EADDRINUSE') {
    return new SyndError(
      'address-in-use',
      `SYND_GRPC_LISTEN: ${address} is in use by another process; stop it or choose another port`,
      { cause: error },
    )
  }
  return new SyndError('bad-settings', `SYND_GRPC_LISTEN: cannot listen on ${address} (${code})`, {
    cause: error,
  })
}

/**
 * Calls back with why Node ends an HTTP/2 session that breaks the rules or floods it. It hands that to the `destroy` of the socket, and does so
 * after a peer has closed its side too, when the socket is gone and no 'error' event comes of it.
 */
function onSessionError(socket: Socket, broken: (error: Error) => void): void {
  const destroy = socket.destroy.bind(socket)
  socket.destroy = (error?: Error): Socket => {
    if (error !== undefined && 'code' in error && String(error.code).startsWith('ERR_HTTP2_')) {
      socket.destroy = destroy
      broken(error)
    }
    return destroy(error)
  }
}
