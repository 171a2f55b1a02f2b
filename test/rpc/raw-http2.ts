import { connect, type TLSSocket } from 'node:tls'
import { contextOptions } from '../../src/rpc/credentials.ts'
import type { Identity } from './world.ts'

/** Types of HTTP/2 frames (RFC 9113, 6). */
export const frameTypes = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  windowUpdate: 8,
  continuation: 9,
}

/** Flag of a HEADERS or CONTINUATION frame: nothing follows. */
export const endHeaders = 4

/** One HTTP/2 frame as bytes. */
export function frame(
  type: number,
  options: { flags?: number; stream?: number; payload?: Buffer } = {},
): Buffer {
  const { flags = 0, stream = 0, payload = Buffer.alloc(0) } = options
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header.writeUInt8(type, 3)
  header.writeUInt8(flags, 4)
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}

/** HPACK (RFC 7541): a literal without indexing, of at most 253 bytes a part. */
export function literal(name: string, value: string): Buffer {
  const length = (text: string) =>
    text.length < 127 ? Buffer.of(text.length) : Buffer.of(127, text.length - 127)
  return Buffer.concat([
    Buffer.of(0),
    length(name),
    Buffer.from(name),
    length(value),
    Buffer.from(value),
  ])
}

/** The header block of a gRPC call. */
export function grpcHeaders(path: string, more: Record<string, string> = {}): Buffer {
  const headers = {
    ':method': 'POST',
    ':scheme': 'https',
    ':authority': 'synd',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...more,
  }
  return Buffer.concat(Object.entries(headers).map(([name, value]) => literal(name, value)))
}

/** A member's TLS connection on which anything may be said. */
export interface Wire {
  readonly socket: TLSSocket
  isClosed(): boolean
  /** Resolves when there is room for more, or the connection is gone. */
  say(...parts: readonly Buffer[]): Promise<void>
  /** Content of stream 1, as much as the other side has room for, until the connection is gone or `isEnough`. */
  pour(content: Buffer, isEnough?: () => boolean): Promise<void>
}

/** Opens it; HTTP/2 has begun. */
export async function openWire(port: number, identity: Identity): Promise<Wire> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: 'synd',
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
    ...contextOptions(identity.credentials),
  })
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.on('secureConnect', () => resolve()))
  const credit = creditOf(socket)
  const isClosed = (): boolean => socket.closed || socket.destroyed
  const say: Wire['say'] = async (...parts) => {
    if (isClosed() || socket.write(Buffer.concat(parts))) return
    await anyOf(socket, ['drain', 'close'])
  }
  await say(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(frameTypes.settings))
  return {
    socket,
    isClosed,
    say,
    pour: async (content, isEnough = () => false) => {
      for (let at = 0; at < content.length && !isClosed() && !isEnough();) {
        const room = Math.min(credit.connection, credit.stream, 16_384)
        if (room <= 0) {
          await pause()
          continue
        }
        const payload = content.subarray(at, at + room)
        at += payload.length
        credit.connection -= payload.length
        credit.stream -= payload.length
        await say(frame(frameTypes.data, { stream: 1, payload }))
      }
    },
  }
}

/** What the other side has room for: of the connection, and of stream 1. It begins with 65,535 bytes each. */
function creditOf(socket: TLSSocket): { connection: number; stream: number } {
  const credit = { connection: 65_535, stream: 65_535 }
  let unread = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk])
    for (;;) {
      const length = unread.length < 9 ? Number.POSITIVE_INFINITY : 9 + unread.readUIntBE(0, 3)
      if (unread.length < length) return
      if (unread.readUInt8(3) === frameTypes.windowUpdate) {
        const increment = unread.readUInt32BE(9)
        if (unread.readUInt32BE(5) === 0) credit.connection += increment
        else credit.stream += increment
      }
      unread = unread.subarray(length)
    }
  })
  return credit
}

function anyOf(socket: TLSSocket, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) socket.off(event, done)
      resolve()
    }
    for (const event of events) socket.on(event, done)
  })
}

/** Long enough for the other side to give more room; then one looks again. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 2)
  })
}
