import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP port that stays the same while what is behind it comes, goes, and is cut off. */
export class Forwarder {
  readonly #sockets = new Set<Socket>()
  #server: Server | null = null
  #target = 0
  port = 0
  /** Accepts and says nothing, as a stopped process does. */
  isSilent = false
  accepted = 0

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
    for (const socket of this.#sockets) {
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
    socket.pipe(behind).pipe(socket)
    socket.on('close', () => behind.destroy())
    behind.on('close', () => socket.destroy())
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay()
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
