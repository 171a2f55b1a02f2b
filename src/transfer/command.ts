import { SyndError } from '../core/errors.ts'
import type { SourceOffer } from '../core/protocol.ts'
import { encodeOperand, type Operand } from './operand.ts'

/** One exec: the command and the files it asks for, in order. */
export interface PullCommand<Request extends Operand> {
  /** Text of one char a byte; bytes where a stock sshd's shell must see them as they are. */
  readonly command: string | Buffer
  readonly requests: readonly Request[]
}

/** ssh2's server drops the whole connection at 35,000 bytes; the shell of an sshd takes 131,071. */
export const maxCommandBytes = 30_000
/** Bounds what one exec holds up when it fails. */
export const maxOperands = 256

/**
 * The commands that ask `source` for `requests`: `synd-scp -f -p -- <operand>…` of a Synd, `scp -f -p -- '<absolute path>'…` of a
 * stock sshd. Without -p OpenSSH would send no times, but its answers are counted with them (scp-message.ts).
 */
export function planCommands<Request extends Operand>(
  source: SourceOffer,
  requests: readonly Request[],
): readonly PullCommand<Request>[] {
  const commands: PullCommand<Request>[] = []
  let words: string[] = []
  let first = 0
  let bytes = 0
  const prefix = prefixFor(source)
  const flush = (end: number): void => {
    if (words.length === 0) return
    const text = [prefix, ...words].join(' ')
    const command = source.kind === 'openssh' ? Buffer.from(text, 'latin1') : text
    commands.push({ command, requests: requests.slice(first, end) })
    words = []
    first = end
    bytes = 0
  }
  for (const [index, request] of requests.entries()) {
    const word = operandFor(source, request)
    if (words.length === maxOperands || prefix.length + bytes + 1 + word.length > maxCommandBytes)
      flush(index)
    words.push(word)
    bytes += 1 + word.length
  }
  flush(requests.length)
  return commands
}

/** A word that a POSIX shell gives back as it was; of latin1, one char a byte. */
export function quoteWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

function prefixFor(source: SourceOffer): string {
  if (source.kind === 'none')
    throw new SyndError('refused', 'the peer offers no source to pull from')
  return source.kind === 'openssh' ? 'scp -f -p --' : 'synd-scp -f -p --'
}

function operandFor(source: SourceOffer, request: Operand): string {
  if (source.kind !== 'openssh') return encodeOperand(request)
  const root = Buffer.from(source.root).toString('latin1').replace(/\/+$/, '')
  return quoteWord(`${root}/${request.path}`)
}
