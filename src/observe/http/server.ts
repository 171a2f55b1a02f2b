import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { listenError } from './listen-error.ts'
import type { Log } from '../log.ts'
import { type Answer, answer, expectationFailed, type StatusSource } from './routes.ts'

export interface HttpOptions {
  readonly listen: { readonly host: string; readonly port: number }
  readonly source: StatusSource
  readonly log: Log
  readonly rejected: (surface: string, reason: string) => void
  readonly limits?: Partial<HttpLimits>
}

/** What one caller may take of this server. */
export interface HttpLimits {
  /** Until a request's headers are there. */
  readonly headersMs: number
  /** Until the whole request is there. */
  readonly requestMs: number
  /** Without a byte in either direction, as when the answer is not read. */
  readonly idleMs: number
  readonly connections: number
}

/** Scrapers and probes are on the same network and quick; the rest is let go soon. */
const defaultLimits: HttpLimits = {
  headersMs: 5000,
  requestMs: 10_000,
  idleMs: 15_000,
  connections: 256,
}

/** No scraper sends more; Node answers 431 beyond it. */
const largestHeaderBytes = 8192

/** Metrics, health and status for people and machines (README, Monitoring). */
export class HttpServer {
  readonly #options: HttpOptions
  readonly #limits: HttpLimits
  readonly #server: Server
  /** Oldest first. */
  readonly #sockets = new Set<Socket>()

  constructor(options: HttpOptions) {
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#server = createServer({
      maxHeaderSize: largestHeaderBytes,
      headersTimeout: this.#limits.headersMs,
      requestTimeout: this.#limits.requestMs,
      keepAliveTimeout: this.#limits.headersMs,
      connectionsCheckingInterval: Math.min(1000, this.#limits.headersMs),
      // Node would refuse it without a word to us: `answer` does, and it is counted.
      requireHostHeader: false,
    })
  }

  /** Listens; gives the address, with the port that was chosen for port 0. Throws SyndError when that is impossible. */
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    const { host, port } = this.#options.listen
    this.#server.setTimeout(this.#limits.idleMs)
    this.#server.on('connection', (socket) => this.#admit(socket))
    this.#server.on('clientError', (error, socket) => this.#refuse(error, socket))
    this.#server.on('connect', (_, socket) => this.#refuseTunnel(socket))
    this.#server.on('checkExpectation', (request, response) =>
      this.#respond(request, response, expectationFailed),
    )
    this.#server.on('request', (request, response) => {
      this.#answer(request)
        .then((found) => this.#respond(request, response, found))
        .catch((error: unknown) => {
          this.#options.log('error', 'an HTTP request could not be answered', { error })
          response.destroy()
        })
    })
    await this.#listen()
    this.#server.on('error', (error) => {
      this.#options.log('error', 'the HTTP server failed', { error })
    })
    const bound = this.#server.address()
    return { host, port: bound !== null && typeof bound === 'object' ? bound.port : port }
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#options.listen
    this.#server.listen(port, host)
    try {
      await once(this.#server, 'listening')
    } catch (error) {
      throw error instanceof Error ? listenError('SYND_HTTP_LISTEN', { host, port }, error) : error
    }
  }

  /** Closes every connection. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
      // Those that asked for a tunnel are no longer Node's.
      for (const socket of this.#sockets) socket.destroy()
    })
  }

  /** Beyond the limit the oldest connection goes, so that idle ones cannot lock others out. */
  #admit(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.#sockets.size <= this.#limits.connections) return
    const [oldest] = this.#sockets
    this.#options.rejected('http', 'connections')
    oldest?.destroy()
  }

  #respond(
    request: IncomingMessage,
    response: ServerResponse,
    { status, body, contentType, headers, rejected }: Answer,
  ): void {
    if (rejected !== undefined) this.#options.rejected('http', rejected)
    // No route takes a body: what comes as one is not waited for.
    if (
      request.headers['content-length'] !== undefined ||
      request.headers['transfer-encoding'] !== undefined
    )
      response.shouldKeepAlive = false
    response.writeHead(status, {
      'Content-Type': contentType ?? 'text/plain; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    try {
      return await answer(request, this.#options.source)
    } catch (error) {
      this.#options.log('error', 'an HTTP request failed', { error })
      return { status: 500, body: 'internal error\n' }
    }
  }

  /** A request that Node could not read. */
  #refuse(error: Error & { code?: string }, socket: Duplex): void {
    const [line, reason] = refusals.get(error.code ?? '') ?? ['400 Bad Request', 'malformed']
    if (error.code !== 'ECONNRESET') this.#options.rejected('http', reason)
    sendLast(socket, line)
  }

  /** CONNECT: Node hands over the bare connection, and looks after its errors and its time no more. */
  #refuseTunnel(socket: Duplex): void {
    this.#options.rejected('http', 'method')
    socket.on('error', () => socket.destroy())
    socket.once('timeout', () => socket.destroy())
    sendLast(socket, '405 Method Not Allowed\r\nAllow: GET, HEAD')
  }
}

/** Ends a connection with an answer of no more than this status line and its headers. */
function sendLast(socket: Duplex, line: string): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const head = `HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
  socket.end(head, () => socket.destroy())
}

const refusals: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['HPE_HEADER_OVERFLOW', ['431 Request Header Fields Too Large', 'headers']],
  ['ERR_HTTP_REQUEST_TIMEOUT', ['408 Request Timeout', 'timeout']],
])
