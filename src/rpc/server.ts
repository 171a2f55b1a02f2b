import type { Socket } from 'node:net'
import {
  Server as GrpcServer,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type StatusObject,
} from '@grpc/grpc-js'
import type { KeyFingerprint } from '../core/credentials.ts'
import { errorCode } from '../core/errors.ts'
import type { Hello, HelloAnswer } from '../core/protocol.ts'
import type { InboundLink } from '../engine/ports.ts'
import type { Credentials } from './credentials.ts'
import { HealthService } from './health.ts'
import { countRefusals, ownFailure } from './grpc-refusals.ts'
import { openInboundLink } from './inbound-link.ts'
import { serverOptions } from './limits.ts'
import { healthDefinition, proto } from './proto.ts'
import { Rejection, type Rejected } from './rejection.ts'
import { Sessions } from './sessions.ts'
import { countUnknownCalls } from './unknown-calls.ts'
import { decodeHello, encodeAnswer } from './wire-hello.ts'

export interface ServerOptions {
  readonly credentials: Credentials | null
  readonly answerHello: (hello: Hello, caller: { readonly key: KeyFingerprint }) => HelloAnswer
  readonly runInbound: (link: InboundLink) => Promise<void>
  /** What the health service says. */
  readonly isReady: () => boolean
  /** Somebody who may talk to us is up. */
  readonly greeted: () => void
  readonly rejected: Rejected
  readonly log: (level: 'info' | 'error', message: string, fields: Record<string, unknown>) => void
  readonly nowMs: () => number
  readonly monotonicMs: () => number
}

/** Metadata of Notify: the session that the Hello before it gave. */
export const sessionKey = 'synd-session-bin'

/** The gRPC service, on connections that are handed to it. */
export class NotifyServer {
  readonly #options: ServerOptions
  readonly #sessions: Sessions
  readonly #running = new Set<Promise<void>>()
  readonly #health: HealthService
  readonly #server: GrpcServer
  readonly #injector: ReturnType<GrpcServer['createConnectionInjector']>
  /** Where connections come in, once the first was there. */
  #port: number | undefined
  #stopCounting: () => void = () => {}

  constructor(options: ServerOptions) {
    this.#options = options
    this.#sessions = new Sessions({ monotonicMs: options.monotonicMs })
    this.#health = new HealthService({
      isReady: options.isReady,
      refusal: (call) => this.#refusalOf(call),
    })
    const interceptors = [countRefusals(options.rejected)]
    this.#server = new GrpcServer({ ...serverOptions, interceptors })
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure())
  }

  start(): void {
    const { Hello: hello, Notify: notify } = proto().Synd.service
    // Messages come as bytes: what is malformed is refused by us, counted and in words.
    const bytes = { requestDeserialize: asIs, responseSerialize: asIs }
    this.#server.addService(
      { Hello: { ...hello, ...bytes }, Notify: { ...notify, ...bytes } },
      {
        Hello: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) =>
          this.#hello(call, callback),
        Notify: (call: ServerDuplexStream<Buffer, Buffer>) => this.#notify(call),
      },
    )
    const health = healthDefinition()
    this.#server.addService(health, this.#health.handlers)
    const methods = [hello, notify, ...Object.values(health)]
    this.#stopCounting = countUnknownCalls({
      known: new Set(methods.map(({ path }) => path)),
      isOurs: (localPort) => localPort !== undefined && localPort === this.#port,
      rejected: this.#options.rejected,
    })
  }

  /** A connection whose key is believed, or any when TLS is off. */
  admit(socket: Socket): void {
    this.#port = socket.localPort
    this.#injector.injectConnection(socket)
  }

  /** Ends every call and connection at once; resolves when the engine has left the links. */
  async stop(): Promise<void> {
    this.#stopCounting()
    this.#health.stop()
    this.#server.forceShutdown()
    await Promise.all(this.#running)
  }

  #hello(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void {
    try {
      const key = this.#keyOf(call)
      const hello = decodeHello(call.request)
      const answer = this.#options.answerHello(hello, { key })
      callback(null, encodeAnswer(answer, this.#sessions.open({ hello, answer, key })))
      this.#options.greeted()
    } catch (error) {
      callback(this.#statusOf(error, call.getPeer()))
    }
  }

  #notify(call: ServerDuplexStream<Buffer, Buffer>): void {
    const [session] = call.metadata.get(sessionKey)
    const { rejected, log, nowMs } = this.#options
    try {
      const key = this.#keyOf(call)
      const greeting = Buffer.isBuffer(session) ? this.#sessions.take(session, key) : null
      if (greeting === null) throw new Rejection('no-session', 'say Hello first')
      const link = openInboundLink(call, { ...greeting, nowMs, rejected, log })
      const running = this.#run(link, call).finally(() => this.#running.delete(running))
      this.#running.add(running)
    } catch (error) {
      call.emit('error', this.#statusOf(error, call.getPeer()))
    }
  }

  async #run(link: InboundLink, call: ServerDuplexStream<Buffer, Buffer>): Promise<void> {
    try {
      await this.#options.runInbound(link)
    } catch (error) {
      const code = errorCode(error)
      if (code === 'untrusted' || code === 'protocol') {
        call.emit('error', this.#statusOf(error, call.getPeer()))
      } else if (code !== 'unreachable') {
        // The stream may go down under a reply, which is how streams end.
        this.#options.log('error', 'the stream of a peer failed', { peer: link.hello.name, error })
      }
    } finally {
      link.close()
    }
  }

  /** The key that the connection's certificate proves, as things stand now. */
  #keyOf(call: Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext'>): string {
    const { credentials } = this.#options
    if (credentials === null) return ''
    const certificate = call.getAuthContext().sslPeerCertificate
    const key = certificate === undefined ? null : credentials.keyOfPeer(certificate.raw, null)
    if (key === null) throw new Rejection('untrusted-key', 'the key is not authorized')
    return key
  }

  /** Null: it has the key of a peer. */
  #refusalOf(
    call: Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext' | 'getPeer'>,
  ): Partial<StatusObject> | null {
    try {
      this.#keyOf(call)
      return null
    } catch (error) {
      return this.#statusOf(error, call.getPeer())
    }
  }

  /** What a refused caller is told, after it was counted. */
  #statusOf(error: unknown, address: string): Partial<StatusObject> {
    const { rejected, log } = this.#options
    if (error instanceof Rejection) {
      rejected('grpc', error.reason)
      log('info', 'call refused', { address, reason: error.reason, message: error.message })
      return { code: codes[error.reason] ?? status.INVALID_ARGUMENT, details: ascii(error.message) }
    }
    const code = errorCode(error)
    if (error instanceof Error && (code === 'untrusted' || code === 'protocol')) {
      rejected('grpc', 'hello-refused')
      log('info', 'hello refused', { address, reason: error.message })
      return { code: refusalCodes[code], details: ascii(error.message) }
    }
    log('error', 'call failed', { address, error })
    return { code: status.INTERNAL, details: ownFailure }
  }
}

const codes: Partial<Record<Rejection['reason'], status>> = {
  'protocol-version': status.FAILED_PRECONDITION,
  'no-session': status.UNAUTHENTICATED,
  'untrusted-key': status.UNAUTHENTICATED,
}

const refusalCodes = {
  untrusted: status.PERMISSION_DENIED,
  protocol: status.FAILED_PRECONDITION,
} as const

/** grpc-js encodes details as a URI and throws for half a surrogate pair. */
function ascii(text: string): string {
  return text.slice(0, 500).replace(/[^\x20-\x7e]/g, '?')
}

function asIs(message: Buffer): Buffer {
  return message
}
