/**
 * The SCP wire, as OpenSSH's scp.c speaks it. The source sends, for each operand, and the sink answers one byte to each line marked `>`
 * and one at the very beginning:
 *
 *     > T<mtime s> 0 <atime s> 0\n          only with -p
 *     > C<mode, 4 octal digits> <size> <name>\n
 *       <size bytes>
 *     > \0                                  or \1<text>\n: the content is not right after all
 *       \1<text>\n                          instead of all of it: this operand failed; nothing is answered
 *       \2<text>\n                          anywhere: the end of everything
 *
 * An answer is \0, or \1<text>\n (leave this file out) or \2<text>\n (stop). Directories (D, E) travel with -r only.
 */
import { SyndError } from '../core/errors.ts'
import { maxPathBytes, toText } from '../core/relative-path.ts'

export type ScpMessage =
  | { readonly kind: 'times' }
  /** `name` is latin1, as encoded by the source. */
  | {
      readonly kind: 'file'
      readonly mode: number
      readonly sizeBytes: number
      readonly name: string
    }
  /** A view of what was read: copy it to keep it. */
  | { readonly kind: 'data'; readonly chunk: Buffer }
  /** The content of the file is complete and the source stands by it. */
  | { readonly kind: 'end' }
  /** `text` is cleaned. After the header of a file it means that file. */
  | { readonly kind: 'failed'; readonly isFatal: boolean; readonly text: string }

/** Reads what a source sends, however it is cut; throws SyndError `protocol` at the first byte that is none of it. */
export interface ScpParser {
  read(chunk: Buffer): Generator<ScpMessage>
}

/** A record holds a name of a path at most; an error line may name a whole path, encoded. */
const maxLineBytes = 4 * maxPathBytes

const newline = 0x0a

/** The answer that asks to go on. */
export const goOn = 0

export function encodeTimes(mtimeSeconds: number): string {
  const seconds = Math.max(0, Math.floor(mtimeSeconds))
  return `T${seconds} 0 ${seconds} 0\n`
}

/** `name` is latin1, encoded; so is the result. */
export function encodeFile(file: { mode: number; sizeBytes: number; name: string }): string {
  return `C${(file.mode & 0o7777).toString(8).padStart(4, '0')} ${file.sizeBytes} ${file.name}\n`
}

/** An operand that failed, or, after the content, a content that is not right. */
export function encodeFailure(text: string): string {
  return `\x01${text.replaceAll('\n', ' ')}\n`
}

export function createScpParser(): ScpParser {
  let state: 'record' | 'line' | 'data' | 'trailer' = 'record'
  let line: Buffer[] = []
  let lineBytes = 0
  let missingBytes = 0

  function* read(chunk: Buffer): Generator<ScpMessage> {
    let at = 0
    while (at < chunk.length) {
      if (state === 'data') {
        const data = chunk.subarray(at, at + missingBytes)
        at += data.length
        missingBytes -= data.length
        if (missingBytes === 0) state = 'trailer'
        yield { kind: 'data', chunk: data }
      } else if (state === 'trailer' && chunk[at] === goOn) {
        at++
        state = 'record'
        yield { kind: 'end' }
      } else {
        if (state === 'record' || state === 'trailer') requireStart(chunk.subarray(at), state)
        const end = chunk.indexOf(newline, at)
        const part = chunk.subarray(at, end < 0 ? chunk.length : end)
        at += part.length + 1
        keep(part)
        if (end < 0) return
        yield endOfLine()
      }
    }
  }

  function keep(part: Buffer): void {
    state = 'line'
    lineBytes += part.length
    if (lineBytes > maxLineBytes) throw broken(`a line of over ${maxLineBytes} bytes`)
    line.push(Buffer.from(part))
  }

  function endOfLine(): ScpMessage {
    const text = Buffer.concat(line).toString('latin1')
    line = []
    lineBytes = 0
    const message = parseLine(text)
    state = 'record'
    if (message.kind === 'file') {
      missingBytes = message.sizeBytes
      state = missingBytes === 0 ? 'trailer' : 'data'
    }
    return message
  }

  return { read }
}

/** For people and logs: what a terminal could obey is escaped, at most 300 characters. `text` is latin1. */
export function cleanText(text: string): string {
  const clean = toText(text.trim().slice(0, 1200))
  return clean.length > 300 ? `${clean.slice(0, 299)}…` : clean
}

function requireStart(rest: Buffer, state: 'record' | 'trailer'): void {
  const first = rest[0] ?? 0
  const allowed = state === 'record' ? [0x01, 0x02, 0x43, 0x54] : [0x01, 0x02]
  if (allowed.includes(first)) return
  if (state === 'trailer') throw broken('no end after the content')
  const text = rest.toString('latin1')
  if (/^(D[0-7]{4} |E\n)/.test(text)) throw broken('a directory that was not asked for')
  throw broken(`"${cleanText(text)}" instead of a file`)
}

function parseLine(line: string): ScpMessage {
  if (line.startsWith('\x01') || line.startsWith('\x02')) {
    return { kind: 'failed', isFatal: line.startsWith('\x02'), text: cleanText(line.slice(1)) }
  }
  if (/^T\d{1,19} \d{1,6} \d{1,19} \d{1,6}$/.test(line)) return { kind: 'times' }
  const [, mode, size, name] = /^C([0-7]{4}) (\d{1,16}) (.+)$/s.exec(line) ?? []
  const sizeBytes = Number(size)
  if (mode !== undefined && name !== undefined && Number.isSafeInteger(sizeBytes)) {
    return { kind: 'file', mode: Number.parseInt(mode, 8), sizeBytes, name }
  }
  throw broken(`"${cleanText(line)}" instead of a file`)
}

function broken(what: string): SyndError {
  return new SyndError('protocol', what)
}
