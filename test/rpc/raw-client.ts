import { createSecureContext } from 'node:tls'
import {
  Client,
  credentials as grpcCredentials,
  Metadata,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js'
import { contextOptions } from '../../src/rpc/credentials.ts'
import { decodeAnswer, encodeHello } from '../../src/rpc/wire-hello.ts'
import { sampleHello } from './samples.ts'
import type { Identity } from './world.ts'

const asIs = (message: Buffer) => message

/** A peer that says whatever it wants, byte by byte. */
export class RawClient {
  readonly client: Client

  constructor({ port, identity }: { port: number; identity: Identity }) {
    const context = createSecureContext(contextOptions(identity.credentials))
    const channel = grpcCredentials.createFromSecureContext(context, {
      checkServerIdentity: () => undefined,
    })
    this.client = new Client(`127.0.0.1:${port}`, channel, {
      'grpc.ssl_target_name_override': 'synd',
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_send_message_length': -1,
    })
  }

  /** The answer to a unary call, or the status it failed with. */
  async call(path: string, message: Buffer, metadata = new Metadata()): Promise<Buffer | number> {
    return new Promise((resolve) => {
      this.client.makeUnaryRequest(path, asIs, asIs, message, metadata, (error, answer) => {
        resolve(answer ?? error?.code ?? -1)
      })
    })
  }

  /** All that a caller is told who is refused: code, text and metadata, as one text. */
  async refusal(path: string, message: Buffer): Promise<string> {
    return new Promise((resolve) => {
      this.client.makeUnaryRequest(path, asIs, asIs, message, (error) => {
        resolve(error === null ? 'not refused' : allOf(error))
      })
    })
  }

  async session(hello = sampleHello()): Promise<Buffer> {
    const answer = await this.call('/synd.v1.Synd/Hello', encodeHello(hello))
    if (!Buffer.isBuffer(answer)) throw new Error(`Hello was refused with ${answer}`)
    return decodeAnswer(answer).session
  }

  notify(session: Buffer | null, metadata = new Metadata()): ClientDuplexStream<Buffer, Buffer> {
    if (session !== null) metadata.set('synd-session-bin', session)
    return this.client.makeBidiStreamRequest('/synd.v1.Synd/Notify', asIs, asIs, metadata)
  }

  /** Opens a stream, sends the messages, and waits for the status it ends with. */
  async tell(messages: readonly Buffer[], metadata = new Metadata()): Promise<number> {
    const stream = this.notify(await this.session(), metadata)
    for (const message of messages) stream.write(message)
    return statusOf(stream)
  }

  close(): void {
    this.client.close()
  }
}

/** All that a stream's caller is told at its end, if that is a refusal. */
export function refusalOf(stream: ClientDuplexStream<Buffer, Buffer>): Promise<string> {
  return new Promise((resolve) => {
    stream.on('error', (error: ServiceError) => resolve(allOf(error)))
    stream.on('end', () => resolve('not refused'))
    stream.resume()
  })
}

function allOf({ code, details, metadata }: ServiceError): string {
  return `${code} ${details} ${JSON.stringify(metadata.toJSON())}`
}

/** The code a stream ends with. */
export function statusOf(stream: ClientDuplexStream<Buffer, Buffer>): Promise<number> {
  return new Promise((resolve) => {
    stream.on('error', (error: ServiceError) => resolve(error.code))
    stream.on('status', ({ code }) => resolve(code))
    stream.resume()
  })
}
