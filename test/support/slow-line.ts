import { connect, createServer, type Server, type Socket } from 'node:net'

/** More than this on its way through makes the sender wait: little on a narrow line, much on a long one. */
const narrowBytes = 64 * 1024
const wideBytes = 8 * 1024 * 1024

/**
 * A narrow or long line to a host: an address of this machine's loopback whose ports lead to the same ports of 127.0.0.1. All connections
 * share its width, in each direction.
 */
export class SlowLine {
  /** Where the other end is reached; Linux has all of 127.0.0.0/8. */
  readonly host: string
  /** Null: as wide as the machine. */
  bytesPerSecond: number | null
  readonly #delayMs: number
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly #ways = { to: new Way(), from: new Way() }
  /** Bytes that came through, both ways. */
  passed = 0

  constructor(line: { host: string; bytesPerSecond?: number; delayMs?: number }) {
    this.host = line.host
    this.bytesPerSecond = line.bytesPerSecond ?? null
    this.#delayMs = line.delayMs ?? 0
  }

  async open(ports: readonly number[]): Promise<void> {
    for (const port of ports) {
      const server = createServer((near) => this.#lead(near, port))
      this.#servers.push(server)
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, this.host, resolve)
      })
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#ways.to.close()
    this.#ways.from.close()
    await Promise.all(
      this.#servers.map((server) => new Promise((resolve) => server.close(resolve))),
    )
  }

  #lead(near: Socket, port: number): void {
    const far = connect({ host: '127.0.0.1', port })
    this.#pass(near, far, 'to')
    this.#pass(far, near, 'from')
  }

  #pass(source: Socket, sink: Socket, direction: 'to' | 'from'): void {
    this.#sockets.add(source)
    source.setNoDelay(true)
    let waiting = 0
    source.on('data', (chunk: Buffer) => {
      waiting += chunk.length
      if (waiting > this.#windowBytes()) source.pause()
      this.#later(direction, chunk.length, () => {
        waiting -= chunk.length
        this.passed += chunk.length
        if (waiting <= this.#windowBytes()) source.resume()
        if (!sink.destroyed) sink.write(chunk)
      })
    })
    source.on('end', () => this.#later(direction, 0, () => sink.end()))
    source.on('error', () => sink.destroy())
    source.on('close', () => {
      this.#sockets.delete(source)
      this.#later(direction, 0, () => sink.end())
    })
  }

  #windowBytes(): number {
    return this.bytesPerSecond === null ? wideBytes : narrowBytes
  }

  #later(direction: 'to' | 'from', sizeBytes: number, run: () => void): void {
    const widthMs = this.bytesPerSecond === null ? 0 : (sizeBytes * 1000) / this.bytesPerSecond
    this.#ways[direction].pass(run, { widthMs, delayMs: this.#delayMs })
  }
}

/** One direction: what goes in comes out in order, after the line was free for as long as it takes, and the delay. */
class Way {
  readonly #waiting: { readonly dueMs: number; readonly run: () => void }[] = []
  #freeMs = 0
  #timer: NodeJS.Timeout | null = null

  pass(run: () => void, { widthMs, delayMs }: { widthMs: number; delayMs: number }): void {
    this.#freeMs = Math.max(performance.now(), this.#freeMs) + widthMs
    this.#waiting.push({ dueMs: this.#freeMs + delayMs, run })
    if (this.#timer === null) this.#wait()
  }

  close(): void {
    this.#waiting.length = 0
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #wait(): void {
    const next = this.#waiting[0]
    this.#timer =
      next === undefined
        ? null
        : setTimeout(() => this.#run(), Math.max(0, next.dueMs - performance.now()))
  }

  #run(): void {
    while (this.#waiting[0] !== undefined && this.#waiting[0].dueMs <= performance.now())
      this.#waiting.shift()?.run()
    this.#wait()
  }
}
