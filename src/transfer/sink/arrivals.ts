import { SyndError } from '../../core/errors.ts'
import { nameOf } from '../../core/relative-path.ts'
import type { Pulled, PullRequest } from '../../engine/ports.ts'
import { supersededText } from '../operand.ts'
import { cleanText, createScpParser, type ScpMessage } from '../scp-message.ts'
import { encodeName } from '../scp-name.ts'
import type { IncomingFile, StagingLine } from './staging-line.ts'

/** How the answer to one exec ended. */
export interface Reception {
  /** So many of the requests, from the first, have a result; of the others nothing was heard. 0: it does not get as far as SCP. */
  readonly settled: number
  /** Why there is no more; null when all is said. `isLie`: the source broke the protocol or its word. */
  readonly broken: { readonly text: string; readonly isLie: boolean } | null
}

/** What arrives on one channel, matched by order with what was asked for. The first Reception that a call gives is the last word. */
export interface Arrivals {
  /** Takes from the chunk until the line is full; the rest waits for `advance`. */
  read(chunk: Buffer): Reception | null
  /** Goes on with the rest of the last chunk. */
  advance(): Reception | null
  /** The source lies in another way. */
  refuse(text: string): Reception
  /** The source closed the channel; `text` is what it said. */
  close(text: string): Reception
  /** Nothing is known of what is not complete. */
  abandon(error: Error): void
  /** Every byte is here, and the source has only to close. */
  isComplete(): boolean
  /** So many requests have a result. */
  settled(): number
}

export interface ArrivalOptions {
  readonly requests: readonly PullRequest[]
  readonly line: StagingLine
  /** A shell stands before the source: what is no record at the very beginning is its talk. */
  readonly isBehindShell: boolean
  /** The result of a request; called in order, once for each that is settled. */
  readonly give: (index: number, result: Promise<Pulled>) => void
}

/** The rest of a file whose stage failed is read and dropped up to this size; beyond, the channel is closed. */
const maxDroppedBytes = 4 * 1024 * 1024

/**
 * Nothing that the source sends is obeyed: names, sizes and the number of files are compared with what was asked for, modes and times are
 * dropped, and the content is the stage's to verify.
 */
export function createArrivals({ requests, line, isBehindShell, give }: ArrivalOptions): Arrivals {
  const parser = createScpParser()
  let rest: Generator<ScpMessage> | null = null
  let index = 0
  let file: IncomingFile | null = null
  let hasTimes = false
  let missingBytes = 0
  let hasSpoken = false
  /** The last file is not taken before the source closed: more bytes would mean that it is not what it says. */
  let isLastHere = false

  function read(chunk: Buffer): Reception | null {
    rest = parser.read(chunk)
    return advance()
  }

  function advance(): Reception | null {
    try {
      while (!line.isFull()) {
        const message = rest?.next()
        if (message === undefined || message.done === true) return null
        hasSpoken = true
        const reception = isLastHere ? refuse('more after the end') : step(message.value)
        if (reception !== null) return reception
      }
      return null
    } catch (error) {
      if (!(error instanceof SyndError)) throw error
      if (isBehindShell && !hasSpoken) return ended({ text: error.message, isLie: true })
      return refuse(error.message)
    }
  }

  function step(message: ScpMessage): Reception | null {
    const request = requests[index]
    if (request === undefined) return refuse('more than was asked for')
    switch (message.kind) {
      case 'times':
        if (file !== null || hasTimes) return refuse('times twice')
        hasTimes = true
        return null
      case 'file':
        return begin(request, message)
      case 'data':
        return content(message.chunk)
      case 'end':
        if (index < requests.length - 1) takeFile()
        else isLastHere = true
        return null
      case 'failed':
        return failed(message)
    }
    return null
  }

  function failed({ isFatal, text }: { readonly isFatal: boolean; readonly text: string }) {
    settle(resultOf(text))
    if (isFatal) return ended({ text, isLie: false })
    return index === requests.length ? ended(null) : null
  }

  function begin(
    request: PullRequest,
    header: { readonly name: string; readonly sizeBytes: number },
  ): Reception | null {
    if (header.name !== encodeName(nameOf(request.path)))
      return refuse(`another name, "${cleanText(header.name)}"`)
    if (header.sizeBytes !== request.sizeBytes)
      return refuse(`${header.sizeBytes} bytes instead of ${request.sizeBytes}`)
    file = line.begin(request)
    missingBytes = header.sizeBytes
    give(index, file.result)
    return null
  }

  function content(chunk: Buffer): Reception | null {
    missingBytes -= chunk.length
    file?.push(chunk)
    if (file?.isLost() !== true || missingBytes <= maxDroppedBytes) return null
    next()
    return ended({ text: 'the rest of a file that cannot be stored was left', isLie: false })
  }

  function takeFile(): void {
    file?.end()
    next()
  }

  function settle(result: Pulled): void {
    if (file === null) give(index, Promise.resolve(result))
    else file.fail(result)
    next()
  }

  function next(): void {
    file = null
    hasTimes = false
    index++
  }

  function refuse(text: string): Reception {
    if (index < requests.length) {
      const message = `the source sent ${text}`
      settle({ kind: 'failed', code: 'source-mismatch', message })
    }
    return ended({ text, isLie: true })
  }

  function close(text: string): Reception {
    if (isLastHere) {
      takeFile()
      return ended(null)
    }
    if (file !== null) {
      const message = `the source ended in the middle of the file: ${text}`
      settle({ kind: 'failed', code: 'pull-failed', message })
    }
    return ended({ text, isLie: false })
  }

  function ended(broken: Reception['broken']): Reception {
    return { settled: index, broken }
  }

  return {
    read,
    advance,
    refuse,
    close,
    abandon: (error) => file?.abandon(error),
    isComplete: () => isLastHere,
    settled: () => index,
  }
}

/** What a source's error text means. Our own source has one of its own; OpenSSH says why the file could not be opened. */
function resultOf(text: string): Pulled {
  const isGone =
    text === supersededText || /: (No such file or directory|not a regular file)$/.test(text)
  return isGone
    ? { kind: 'superseded' }
    : { kind: 'failed', code: 'pull-failed', message: `the source says: ${text}` }
}
