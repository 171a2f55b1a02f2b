import {
  Client,
  connectivityState,
  Metadata,
  status,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js'
import { SyndError } from '../core/errors.ts'
import type { Hello, HelloAnswer } from '../core/protocol.ts'
import type { Credentials } from './credentials.ts'
import { clientOptions, helloDeadlineMs } from './limits.ts'
import { OwnedSockets, type PeerProof } from './owned-sockets.ts'
import { proto } from './proto.ts'
import { Rejection, type Rejected } from './rejection.ts'
import { sessionKey } from './server.ts'
import { decodeAnswer, encodeHello, type Session } from './wire-hello.ts'

/** Where to dial: `address` is `host:port`. */
export interface Target {
  readonly address: string
  /** What a certificate of the operator's own authority must name. */
  readonly name: string
}

/**
 * One connection to one address, used once. grpc-js would connect again by itself, but a channel whose peer accepted the connection and then
 * was silent never recovers (grpc-node#2785), and a name is looked up anew only by a new channel: so whatever fails, this is destroyed, and the
 * next dial makes another.
 */
export class Connection {
  readonly #credentials: Credentials | null
  readonly #sockets: OwnedSockets
  readonly #client: Client

  constructor(options: { target: Target; credentials: Credentials | null; rejected: Rejected }) {
    const { target, credentials, rejected } = options
    this.#credentials = credentials
    this.#sockets = new OwnedSockets({ credentials, rejected, host: target.name })
    this.#client = new Client(`dns:///${target.address}`, this.#sockets, clientOptions)
  }

  /** Whom the connection is with; throws before `hello` has resolved. */
  get proof(): PeerProof {
    if (this.#sockets.proof === null) throw new Error('no handshake was done')
    return this.#sockets.proof
  }

  /** Connects and says Hello, within 10 s. Rejects with `unreachable`, `unresolved`, `untrusted` or `protocol`. */
  async hello(hello: Hello): Promise<{ answer: HelloAnswer; session: Session }> {
    const deadline = Date.now() + helloDeadlineMs
    const { path } = proto().Synd.service.Hello
    const message = await new Promise<Buffer>((resolve, reject) => {
      const argument = encodeHello(hello)
      this.#client.makeUnaryRequest(path, asIs, asIs, argument, { deadline }, (error, answer) => {
        if (answer !== undefined) resolve(answer)
        else reject(this.#explain(error))
      })
    })
    try {
      return decodeAnswer(message)
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      throw new SyndError('protocol', error.message, { cause: error })
    }
  }

  /** Opens the stream of a session. */
  notify(session: Session): ClientDuplexStream<Buffer, Buffer> {
    const metadata = new Metadata()
    metadata.set(sessionKey, session)
    const { path } = proto().Synd.service.Notify
    return this.#client.makeBidiStreamRequest(path, asIs, asIs, metadata)
  }

  /** Ends the stream and closes the connection at once. */
  destroy(): void {
    this.#client.close()
    this.#sockets.destroy()
  }

  #explain(error: ServiceError | null): SyndError {
    const code = error?.code ?? status.UNKNOWN
    const details = error?.details ?? 'no answer'
    if (this.#sockets.failure !== null) return this.#sockets.failure
    if (code === status.PERMISSION_DENIED || code === status.UNAUTHENTICATED) {
      return new SyndError('untrusted', `it refuses us: ${details}`, { cause: error })
    }
    if (protocolCodes.has(code)) {
      return new SyndError('protocol', `it does not understand us: ${details}`, { cause: error })
    }
    if (code === status.UNAVAILABLE && this.#closedOnUs()) {
      return new SyndError(
        'untrusted',
        `it closed the connection after the handshake; ${this.#credentials?.advice.refused ?? ''}`,
        { cause: error },
      )
    }
    if (code === status.UNAVAILABLE && details.startsWith(noAddress)) {
      return new SyndError('unresolved', details, { retryable: true, cause: error })
    }
    const reason = code === status.DEADLINE_EXCEEDED ? 'no answer within 10 s' : details
    return new SyndError('unreachable', reason, { retryable: true, cause: error })
  }

  /** The handshake was done and HTTP/2 never began: that is how one who does not know our key refuses us. */
  #closedOnUs(): boolean {
    const { proof } = this.#sockets
    if (proof === null || proof.certificate === null) return false
    const state = this.#client.getChannel().getConnectivityState(false)
    return state === connectivityState.TRANSIENT_FAILURE
  }
}

/** How grpc-js begins the details when the look-up failed; there is no code of its own for that. */
const noAddress = 'Name resolution failed'

/** What one of another protocol answers. */
const protocolCodes: ReadonlySet<status> = new Set([
  status.FAILED_PRECONDITION,
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.RESOURCE_EXHAUSTED,
])

function asIs(message: Buffer): Buffer {
  return message
}
