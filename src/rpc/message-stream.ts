import { SyndError } from '../core/errors.ts'

/** What both sides' gRPC streams have in common. */
interface RawStream {
  read(): Buffer | null
  write(message: Buffer, callback: () => void): boolean
  on(event: string, listener: () => void): unknown
}

/**
 * One gRPC stream of encoded messages, of either side. It is down once, for good: whoever waits to read or write is woken then. Nothing is
 * ever thrown at a listener, because grpc-js reports the same end as any of several events, in any order.
 */
export class MessageStream {
  readonly #stream: RawStream
  readonly #maxUnsentBytes: number
  readonly #waiting = new Set<() => void>()
  #unsentBytes = 0
  #isFull = false
  #isEnded = false
  #isDown = false

  /** `maxUnsentBytes` bounds what waits for a slow peer. */
  constructor(stream: RawStream, { maxUnsentBytes }: { maxUnsentBytes: number }) {
    this.#stream = stream
    this.#maxUnsentBytes = maxUnsentBytes
    stream.on('readable', () => this.#wake())
    stream.on('drain', () => {
      this.#isFull = false
      this.#wake()
    })
    stream.on('end', () => {
      this.#isEnded = true
      this.#wake()
    })
    for (const event of ['error', 'status', 'cancelled', 'close']) {
      stream.on(event, () => this.markDown())
    }
  }

  get isDown(): boolean {
    return this.#isDown
  }

  markDown(): void {
    this.#isDown = true
    this.#wake()
  }

  /** Resolves when there is room for the next; rejects with `unreachable` once the stream is down. */
  async write(messages: readonly Buffer[]): Promise<void> {
    for (const message of messages) {
      if (this.isDown) throw linkIsDown()
      this.#unsentBytes += message.length
      const sent = () => {
        this.#unsentBytes -= message.length
        this.#wake()
      }
      if (!this.#stream.write(message, sent)) this.#isFull = true
      while ((this.#isFull || this.#unsentBytes > this.#maxUnsentBytes) && !this.isDown) {
        await this.#woken()
      }
    }
    if (this.isDown) throw linkIsDown()
  }

  /** What the other side sends; ends when it has ended or the stream is down. */
  async *messages(): AsyncGenerator<Buffer> {
    while (!this.isDown) {
      const message = this.#stream.read()
      if (message !== null) yield message
      else if (this.#isEnded) return
      else await this.#woken()
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve))
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}

function linkIsDown(): SyndError {
  return new SyndError('unreachable', 'the link is down', { retryable: true })
}
