import type { Socket } from 'node:net'
import type { ServerChannel } from 'ssh2'
import { SyndError } from '../../core/errors.ts'
import { createAnswers, type Answer, type Answers } from './answers.ts'

/** What the channels of one connection share. */
export interface ChannelHost {
  readonly socket: Socket
  /** The socket is gone: nothing may be written any more. */
  isClosed(): boolean
  /**
   * ssh2 queues without bound, and out of sight of the socket, what is written during a key exchange. It is noticed by bytes that a write
   * did not put on the socket, and is over with ssh2's `rekey` event.
   */
  isExchangingKeys: boolean
  /** Called when the socket drained, keys were exchanged or the connection is gone. */
  readonly wakers: Set<() => void>
}

/** ssh2 ignores TCP's backpressure: more than this is not handed to it before the socket took what it has. */
const maxUnsentBytes = 1024 * 1024
/** Records and small files are joined to writes of this size. */
const maxJoinedBytes = 128 * 1024

/** The source's end of an exec: answers in, bytes out, never more than the other side takes. One caller at a time. */
export class SourceChannel {
  readonly #channel: ServerChannel
  readonly #host: ChannelHost
  readonly #stallMs: number
  readonly #answers: Answers = createAnswers()
  #joined: Uint8Array[] = []
  #joinedBytes = 0
  #state: 'open' | 'ended' | 'closed' | 'nonsense' = 'open'
  #wake: () => void = () => undefined

  constructor(channel: ServerChannel, host: ChannelHost, options: { readonly stallMs: number }) {
    this.#channel = channel
    this.#host = host
    this.#stallMs = options.stallMs
  }

  start(): void {
    const channel = this.#channel
    channel.on('data', (bytes: Buffer) => {
      if (this.#state === 'open' && !this.#answers.add(bytes)) this.#state = 'nonsense'
      this.#wake()
    })
    channel.on('end', () => this.#leave('ended'))
    channel.on('close', () => this.#leave('closed'))
    channel.on('error', () => this.#leave('closed'))
    channel.stderr.on('error', () => this.#leave('closed'))
    this.#host.wakers.add(this.#onHost)
  }

  /** The sink's next answer; what was written before is sent. Throws SyndError `stalled`, `aborted` or `protocol`, as all of these do. */
  async answer(): Promise<Answer> {
    let answer = this.#answers.take()
    if (answer !== null) return answer
    await this.flush()
    await this.#until(() => {
      answer = this.#answers.take()
      if (answer === null && this.#state === 'ended') throw gone()
      return answer !== null
    })
    return answer ?? 'stop'
  }

  /** Sends it before long, together with what follows; the bytes are kept until then. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#joined.push(bytes)
    this.#joinedBytes += bytes.length
    if (this.#joinedBytes >= maxJoinedBytes) await this.flush()
  }

  async flush(): Promise<void> {
    if (this.#joinedBytes === 0) return
    const joined = Buffer.concat(this.#joined, this.#joinedBytes)
    this.#joined = []
    this.#joinedBytes = 0
    await this.#send(joined)
  }

  /** Sends at once; resolves when there is room for more, and then `bytes` may be reused. */
  async send(bytes: Uint8Array): Promise<void> {
    await this.flush()
    await this.#send(bytes)
  }

  /** Ends the exec: `words` go to stderr. Never waits for the other side. */
  finish(exitCode: number, words: string | null): void {
    this.stop()
    if (this.#state === 'closed' || this.#host.isClosed()) return
    if (words !== null) this.#channel.stderr.write(`${words}\n`)
    this.#channel.exit(exitCode)
    const isHeld = this.#channel.writableLength > 0 || this.#channel.stderr.writableLength > 0
    this.#channel.end()
    // What a window of 0 holds back would keep the channel open for ever.
    if (isHeld) this.#channel.close()
  }

  /** Forgets the channel without ending it. */
  stop(): void {
    this.#host.wakers.delete(this.#onHost)
  }

  readonly #onHost = (): void => this.#wake()

  async #send(bytes: Uint8Array): Promise<void> {
    await this.#until(() => this.#hasRoom())
    const { socket } = this.#host
    const before = socket.bytesWritten
    // ssh2 makes packets of 32 KiB: one call to the kernel for all of them.
    socket.cork()
    try {
      this.#channel.write(bytes, () => this.#wake())
    } finally {
      socket.uncork()
    }
    // What the window has no room for waits in the channel; the rest should be on the socket by now.
    const isHeld = this.#channel.writableLength > 0
    if (!isHeld && socket.bytesWritten - before < bytes.length) this.#host.isExchangingKeys = true
    await this.#until(() => this.#hasRoom())
  }

  #leave(state: 'ended' | 'closed'): void {
    if (this.#state !== 'closed') this.#state = state
    this.#wake()
  }

  #hasRoom(): boolean {
    return (
      this.#channel.writableLength === 0 &&
      !this.#host.isExchangingKeys &&
      this.#host.socket.writableLength <= maxUnsentBytes
    )
  }

  async #until(isMet: () => boolean): Promise<void> {
    let deadline: number | null = null
    for (;;) {
      if (this.#state === 'closed' || this.#host.isClosed()) throw gone()
      if (this.#state === 'nonsense') throw new SyndError('protocol', 'the sink answers nonsense')
      if (isMet()) return
      deadline ??= performance.now() + this.#stallMs
      const left = deadline - performance.now()
      if (left <= 0)
        throw new SyndError('stalled', `the sink took nothing for ${this.#stallMs / 1000} s`)
      await this.#woken(left)
    }
  }

  #woken(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = () => undefined
        resolve()
      }
    })
  }
}

function gone(): SyndError {
  return new SyndError('aborted', 'the sink closed the channel')
}
