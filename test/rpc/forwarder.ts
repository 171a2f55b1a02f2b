import { connect, createServer, type Server, type Socket } from 'node:net'
import { Transform } from 'node:stream'

/** A TCP port that stays the same while what is behind it comes, goes, and is cut off. */
export class Forwarder {
  readonly #sockets = new Set<Socket>()
  readonly #slow = new Set<Transform>()
  #server: Server | null = null
  #target = 0
  port = 0
  /** Accepts and says nothing, as a stopped process does. */
  isSilent = false
  accepted = 0
  /** What came from behind, in bytes. */
  carried = 0
  /** How much of it passes in a second. */
  bytesPerSecond = Number.POSITIVE_INFINITY

  async start(): Promise<this> {
    const server = createServer((socket) => this.#forward(socket))
    this.#server = server
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (typeof address === 'object' && address !== null) this.port = address.port
    return this
  }

  /** Port 0: nobody is there. */
  pointTo(port: number): void {
    this.#target = port
  }

  get open(): number {
    return this.#sockets.size
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Nothing goes through any more, and nobody is told: as when the other side is stopped or the cable pulled. */
  freeze(): void {
    this.isSilent = true
    for (const socket of [...this.#sockets, ...this.#slow]) {
      socket.unpipe()
      socket.pause()
    }
  }

  /** New connections are served; what was frozen stays dead. */
  thaw(): void {
    this.isSilent = false
  }

  async stop(): Promise<void> {
    this.cut()
    const server = this.#server
    if (server !== null) await new Promise((resolve) => server.close(resolve))
  }

  #forward(socket: Socket): void {
    this.accepted++
    this.#keep(socket)
    if (this.isSilent) {
      // Read, so that it is seen when the other side gives up.
      socket.resume()
      return
    }
    if (this.#target === 0) {
      socket.destroy()
      return
    }
    const behind = connect({ port: this.#target, host: '127.0.0.1' })
    this.#keep(behind)
    socket.pipe(behind).pipe(this.#slowly()).pipe(socket)
    socket.on('close', () => behind.destroy())
    behind.on('close', () => socket.destroy())
  }

  #slowly(): Transform {
    const slow = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.carried += chunk.length
        const delayMs = (chunk.length / this.bytesPerSecond) * 1000
        if (delayMs === 0) done(null, chunk)
        else setTimeout(() => done(null, chunk), delayMs)
      },
    })
    this.#slow.add(slow)
    slow.on('close', () => this.#slow.delete(slow))
    return slow
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay()
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
