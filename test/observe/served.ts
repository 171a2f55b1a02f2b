import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach } from 'vitest'
import { type HttpLimits, HttpServer } from '../../src/observe/http/server.ts'
import type { StatusSource } from '../../src/observe/http/routes.ts'
import { sampleStatus } from './sample-status.ts'

/** What the test that runs has open; closed after it. */
export const closing: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

export interface Running {
  readonly port: number
  readonly rejected: string[]
  readonly logged: unknown[]
  readonly calls: string[]
  readonly stop: () => Promise<void>
}

/** An HTTP server of a sample status, which notes what it refuses, logs and calls. */
export async function serve(
  changes: Partial<StatusSource> = {},
  limits: Partial<HttpLimits> = {},
  host = '127.0.0.1',
): Promise<Running> {
  const rejected: string[] = []
  const logged: unknown[] = []
  const calls: string[] = []
  const server = new HttpServer({
    listen: { host, port: 0 },
    source: {
      status: () => sampleStatus(),
      readiness: () => ({ ready: true, reason: null }),
      approve: () => {
        calls.push('approve')
        return 6
      },
      reject: () => {
        calls.push('reject')
        return 5
      },
      metrics: async (format) => `# ${format}\n`,
      ...changes,
    },
    log: (...line) => logged.push(line),
    rejected: (surface, reason) => rejected.push(`${surface} ${reason}`),
    limits,
  })
  const { port } = await server.start()
  const stop = (): Promise<void> => server.stop()
  closing.push(stop)
  return { port, rejected, logged, calls, stop }
}

export interface Reply {
  readonly status: number
  readonly body: string
  readonly headers: IncomingMessage['headers']
}

/** Asks over loopback, by its address. */
export async function ask(
  port: number,
  options: RequestOptions & { body?: string } = {},
): Promise<Reply> {
  const request = httpRequest({ host: '127.0.0.1', port, agent: false, ...options })
  request.end(options.body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += String(chunk)
  return { status: response.statusCode ?? 0, body, headers: response.headers }
}

/** Sends raw bytes; gives all that came back once the server closed. */
export async function raw(port: number, bytes: string): Promise<string> {
  const socket = dial(port)
  socket.write(bytes)
  return readAll(socket)
}

export function dial(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  closing.push(() => {
    socket.destroy()
  })
  return socket
}

export async function readAll(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += String(chunk)
  })
  if (!socket.closed) await once(socket, 'close')
  return text
}

/** How many connections a server of this port holds, as the kernel sees it. */
export function establishedAt(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
  return rows.filter(([, address, , state]) => address?.endsWith(local) && state === '01').length
}

/** A source address in 127/8 that is not the loopback address: stands for another host. */
export const elsewhere = { localAddress: '127.0.0.2' }
