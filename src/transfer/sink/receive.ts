import type { ClientChannel } from 'ssh2'
import { SyndError } from '../../core/errors.ts'
import { cleanText } from '../scp-message.ts'
import { createArrivals, type ArrivalOptions, type Reception } from './arrivals.ts'

export interface ReceiveOptions extends ArrivalOptions {
  /** Without progress for so long: SyndError `stalled`. */
  readonly stallMs: number
  readonly signal: AbortSignal
  /** Why the connection is gone, null while it is not. */
  readonly connectionFailure: () => SyndError | null
}

export interface Receiving {
  /** Rejects with SyndError `stalled`, `aborted` or what the connection failed with. The channel may still be open. */
  readonly ended: Promise<Reception>
  /** The line has room again. */
  resume(): void
}

/** Less than this in `stallMs` is no progress: a source of one byte a second would hold the channel for ever. */
const progressBytes = 4096
/** A source has no business on stderr but an error text. */
const maxStderrBytes = 1024 * 1024
const keptStderrBytes = 2048
/** After the last file a source only closes; one that does not is waited for no longer than this. */
const lastWordsMs = 2000

/**
 * Takes the answer to a command for `requests` from its channel. All answers to the source are sent at once, ahead of time: it reads one at each
 * step and never looks when it came, so that no round trip is spent on them. A source that is refused after that loses its channel.
 */
export function receive(channel: ClientChannel, options: ReceiveOptions): Receiving {
  const { line, stallMs, signal } = options
  const arrivals = createArrivals(options)
  const ended = Promise.withResolvers<Reception>()
  const stderr = keepStart()
  let isOver = false
  let isPaused = false
  let closeWhenRead = (): void => undefined
  let progressAtMs = performance.now()
  let bytes = 0
  let settled = 0
  let lastWordsTimer: NodeJS.Timeout | null = null

  function read(chunk: Buffer): void {
    if (isOver) return
    bytes += chunk.length
    goOn(arrivals.read(chunk))
  }

  function goOn(reception: Reception | null): void {
    if (reception !== null) return end(reception)
    if (bytes >= progressBytes || arrivals.settled() > settled) progress()
    if (arrivals.isComplete()) lastWordsTimer ??= setTimeout(close, lastWordsMs)
    isPaused = line.isFull()
    if (isPaused) channel.pause()
    else if (channel.isPaused()) channel.resume()
  }

  function readStderr(chunk: Buffer): void {
    stderr.add(chunk)
    if (!isOver && stderr.bytes() > maxStderrBytes) end(arrivals.refuse('a flood of error text'))
  }

  function close(exitCode?: unknown): void {
    if (isOver) return
    // Node ends a stream whose last chunk was taken, paused or not, and some of that chunk may be waiting.
    if (isPaused) {
      closeWhenRead = () => close(exitCode)
      return
    }
    const failure = options.connectionFailure()
    if (failure !== null && !arrivals.isComplete()) return abandon(failure)
    const status = typeof exitCode === 'number' ? `exit status ${exitCode}` : 'no exit status'
    const words = cleanText(stderr.text())
    end(arrivals.close(words === '' ? status : `${words} (${status})`))
  }

  function progress(): void {
    progressAtMs = performance.now()
    bytes = 0
    settled = arrivals.settled()
  }

  function requireProgress(): void {
    if (isPaused || arrivals.isComplete()) return progress()
    if (performance.now() - progressAtMs < stallMs) return
    const text = `the source sent nothing to speak of for ${stallMs / 1000} s`
    abandon(new SyndError('stalled', text, { retryable: true }))
  }

  function end(reception: Reception): void {
    leave()
    ended.resolve(reception)
  }

  function abandon(error: Error): void {
    if (isOver) return
    leave()
    arrivals.abandon(error)
    ended.reject(error)
  }

  function abort(): void {
    const { reason } = signal
    abandon(reason instanceof Error ? reason : new SyndError('aborted', 'it was aborted'))
  }

  function sendAnswers(): void {
    try {
      channel.write(Buffer.alloc(1 + 3 * options.requests.length))
    } catch (cause) {
      // So ssh2 says that the connection is gone.
      const lost = new SyndError('unreachable', 'the connection was lost', {
        retryable: true,
        cause,
      })
      abandon(options.connectionFailure() ?? lost)
    }
  }

  function leave(): void {
    isOver = true
    clearInterval(progressTimer)
    if (lastWordsTimer !== null) clearTimeout(lastWordsTimer)
    signal.removeEventListener('abort', abort)
  }

  const progressTimer = setInterval(requireProgress, stallMs / 10)
  channel.on('data', read)
  channel.stderr.on('data', readStderr)
  channel.on('end', () => {
    if (arrivals.isComplete()) close()
  })
  channel.on('close', close)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  else sendAnswers()

  return {
    ended: ended.promise,
    resume: () => {
      if (!isPaused) return
      isPaused = false
      progress()
      if (!isOver) goOn(arrivals.advance())
      if (!isPaused) closeWhenRead()
    },
  }
}

/** The beginning of a text that may be endless. */
function keepStart(): {
  readonly add: (chunk: Buffer) => void
  readonly bytes: () => number
  readonly text: () => string
} {
  let kept = Buffer.alloc(0)
  let count = 0
  return {
    add: (chunk) => {
      count += chunk.length
      if (kept.length < keptStderrBytes)
        kept = Buffer.concat([kept, chunk.subarray(0, keptStderrBytes)])
    },
    bytes: () => count,
    text: () => kept.subarray(0, keptStderrBytes).toString('latin1'),
  }
}
