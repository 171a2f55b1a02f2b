import { errorCode, SyndError } from '../../core/errors.ts'
import { maxCommandBytes, maxOperands } from '../command.ts'
import { parseOperand, type Operand } from '../operand.ts'
import { splitWords } from './shell-words.ts'

/** What an exec asks of the embedded source. */
export type ExecRequest =
  /** A stock `scp -O`: paths below the volume's root as latin1, unchecked, with or without a slash before them. */
  | {
      readonly kind: 'scp'
      readonly sendsTimes: boolean
      readonly operands: readonly string[]
    }
  /** Another Synd (operand.ts). */
  | {
      readonly kind: 'synd-scp'
      readonly sendsTimes: boolean
      readonly operands: readonly Operand[]
    }
  /** `message` tells the caller in words. */
  | { readonly kind: 'refused'; readonly message: string }

/**
 * Understands `scp` and `synd-scp` with -f and any of -p -v -d -q, `--` and operands, and nothing else; runs nothing. `command` is what ssh2
 * decoded as UTF-8, so names in other encodings reach only `synd-scp`.
 */
export function parseExecRequest(command: string): ExecRequest {
  if (Buffer.byteLength(command) > maxCommandBytes)
    return refused(`a command of over ${maxCommandBytes} bytes`)
  const words = splitWords(command)
  if (typeof words === 'string') return refused(words)
  const [program = '', ...rest] = words
  if (program !== 'scp' && program !== 'synd-scp')
    return refused('only `scp -f`, as `scp -O` sends it, is offered here')
  const parsed = parseOptions(rest)
  if (typeof parsed === 'string') return refused(parsed)
  const { sendsTimes, operands } = parsed
  if (program === 'scp')
    return { kind: 'scp', sendsTimes, operands: operands.map((operand) => toLatin1(operand)) }
  try {
    return { kind: 'synd-scp', sendsTimes, operands: operands.map((text) => parseOperand(text)) }
  } catch (error) {
    if (error instanceof SyndError && errorCode(error) !== null) return refused(error.message)
    throw error
  }
}

function parseOptions(
  words: readonly string[],
): { sendsTimes: boolean; operands: readonly string[] } | string {
  let isSource = false
  let sendsTimes = false
  let at = 0
  for (; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') {
      at++
      break
    }
    if (!word.startsWith('-') || word === '-') break
    for (const letter of word.slice(1)) {
      if (letter === 'f') isSource = true
      else if (letter === 'p') sendsTimes = true
      else if (letter === 'r') return 'directories are not copied (-r); name the files'
      else if (letter === 't') return 'nothing is written here (-t); files are read only'
      else if (!'vdq'.includes(letter)) return 'only the options -f -p -v -d -q are understood'
    }
  }
  const operands = words.slice(at)
  if (!isSource) return 'only reading (-f) is offered'
  if (operands.length === 0) return 'no file is named'
  if (operands.length > maxOperands) return `more than ${maxOperands} files`
  return { sendsTimes, operands }
}

function toLatin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}

function refused(message: string): ExecRequest {
  return { kind: 'refused', message }
}
