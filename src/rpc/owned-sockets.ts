import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect, createSecureContext, type TLSSocket } from 'node:tls'
import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js'
import type { KeyFingerprint } from '../core/credentials.ts'
import { SyndError } from '../core/errors.ts'
import { contextOptions, type Credentials } from './credentials.ts'
import type { Rejected } from './rejection.ts'

/** Sent as the server's name, which nobody looks at: names of keys are in certificates. Node warns of addresses here. */
const serverName = 'synd'

/** Who the other side of a connection is. */
export interface PeerProof {
  readonly key: KeyFingerprint
  /** Null with TLS off. */
  readonly certificate: X509Certificate | null
}

/**
 * The sockets of one client. grpc-js lets go of a TLS handshake that hangs without closing its socket (a stopped peer would cost us one every
 * ten seconds, for ever), and tells why a handshake failed only in prose; so this does the handshake itself and keeps what it opened.
 * The base class is grpc-js's only door to that.
 */
export class OwnedSockets extends ChannelCredentials {
  readonly #credentials: Credentials | null
  readonly #host: string
  readonly #rejected: Rejected
  readonly #sockets = new Set<Socket>()
  #isDestroyed = false
  #proof: PeerProof | null = null
  #failure: SyndError | null = null

  constructor(options: { credentials: Credentials | null; host: string; rejected: Rejected }) {
    super()
    this.#credentials = options.credentials
    this.#host = options.host
    this.#rejected = options.rejected
  }

  /** Whom the last handshake was done with; null before. */
  get proof(): PeerProof | null {
    return this.#proof
  }

  /** What the last handshake failed with, when that says more than "unreachable". */
  get failure(): SyndError | null {
    return this.#failure
  }

  /** Closes everything at once, also what is connected from now on. */
  destroy(): void {
    this.#isDestroyed = true
    for (const socket of this.#sockets) socket.destroy()
  }

  override _isSecure(): boolean {
    return this.#credentials !== null
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other
  }

  override _createSecureConnector(): ReturnType<ChannelCredentials['_createSecureConnector']> {
    const callCredentials = CallCredentials.createEmpty()
    return {
      connect: async (socket) => ({
        socket: await this.#connect(socket),
        secure: this.#credentials !== null,
      }),
      waitForReady: async () => {},
      getCallCredentials: () => callCredentials,
      destroy: () => {},
    }
  }

  async #connect(socket: Socket): Promise<Socket> {
    this.#own(socket)
    if (this.#credentials === null) {
      this.#proof = { key: '', certificate: null }
      return socket
    }
    const secured = await this.#handshake(socket, this.#credentials)
    this.#own(secured)
    return secured
  }

  #handshake(socket: Socket, credentials: Credentials): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const secured = connect({
        socket,
        secureContext: createSecureContext(contextOptions(credentials)),
        ALPNProtocols: ['h2'],
        servername: serverName,
        // Looked at below, with the whole certificate.
        checkServerIdentity: () => undefined,
        rejectUnauthorized: false,
      })
      secured.once('secureConnect', () => {
        try {
          this.#proof = this.#check(secured, credentials)
          resolve(secured)
        } catch (error) {
          secured.destroy()
          reject(error)
        }
      })
      secured.on('error', (error) => reject(this.#explain(error)))
      secured.once('close', () => reject(new Error('closed during the handshake')))
    })
  }

  #check(secured: TLSSocket, credentials: Credentials): PeerProof {
    const certificate = secured.getPeerX509Certificate()
    if (certificate === undefined || !secured.authorized) {
      this.#rejected('grpc', 'untrusted-certificate')
      const reason: unknown = secured.authorizationError
      throw this.#refuse(
        `its certificate is not believed (${String(reason)})`,
        credentials.advice.unbelieved,
      )
    }
    const key = credentials.keyOfPeer(certificate, this.#host)
    if (key === null) {
      this.#rejected('grpc', 'untrusted-key')
      throw this.#refuse('its certificate is not that of a peer', credentials.advice.unexpected)
    }
    return { key, certificate }
  }

  #refuse(reason: string, advice: string): SyndError {
    this.#failure = new SyndError('untrusted', `${reason}; ${advice}`)
    return this.#failure
  }

  /** An alert after our half of the handshake means that the other side refuses us. */
  #explain(error: Error): Error {
    const code = 'code' in error ? String(error.code) : ''
    if (/ALERT|WRONG_VERSION|HTTP_REQUEST|NO_APPLICATION/.test(code)) {
      this.#failure = new SyndError('untrusted', `it refuses our TLS (${code})`, { cause: error })
    }
    return error
  }

  #own(socket: Socket): void {
    socket.setNoDelay()
    if (this.#isDestroyed) socket.destroy()
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => {})
  }
}
