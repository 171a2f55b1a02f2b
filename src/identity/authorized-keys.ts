import { SyndError } from '../core/errors.ts'
import { keyAlgorithms, parseSshBlob, type PublicKey } from './public-key.ts'

/** A public key that may talk to this peer. */
export interface AuthorizedKey extends PublicKey {
  readonly comment: string
  /** Where it stands in the file, from 1. */
  readonly line: number
}

export interface AuthorizedKeyList {
  /** Without repetitions. */
  readonly keys: readonly AuthorizedKey[]
  /** Lines that were not understood or ask for what Synd does not have; the others count. */
  readonly refusals: readonly Refusal[]
}

export interface Refusal {
  readonly line: number
  readonly reason: string
}

/**
 * The keys in an authorized_keys file (sshd(8), AUTHORIZED_KEYS FILE FORMAT). A line whose restrictions Synd could not keep is refused
 * rather than obeyed in part: of the options only `restrict` is taken, which allows nothing that Synd has.
 */
export function parseAuthorizedKeys(text: string): AuthorizedKeyList {
  const keys = new Map<string, AuthorizedKey>()
  const refusals: Refusal[] = []
  for (const [index, rawLine] of text.split('\n').entries()) {
    const content = rawLine.trim()
    if (content === '' || content.startsWith('#')) continue
    const line = index + 1
    const key = parseLine(content)
    if (typeof key === 'string') refusals.push({ line, reason: key })
    else if (!keys.has(key.fingerprint)) keys.set(key.fingerprint, { ...key, line })
  }
  return { keys: [...keys.values()], refusals }
}

/** Throws `bad-key` for a list that admits nobody. */
export function requireKeys(path: string, list: AuthorizedKeyList): void {
  if (list.keys.length > 0) return
  const [first] = list.refusals
  const why = first === undefined ? 'holds no key' : `line ${first.line}: ${first.reason}`
  throw new SyndError(
    'bad-key',
    `SYND_SSH_AUTHORIZED_KEYS: ${path} ${why}; put the public line of each peer into it, as \`synd keygen\` prints it`,
  )
}

function parseLine(content: string): (PublicKey & { comment: string }) | string {
  const { options, rest } = splitOptions(content)
  for (const option of options) {
    if (option.toLowerCase() !== 'restrict')
      return `option "${printable(option.split('=', 1)[0] ?? '')}" is not supported, only "restrict" is`
  }
  return parsePublicLine(rest)
}

/** `<algorithm> <base64> [comment]`; a string says in words why not. */
export function parsePublicLine(text: string): (PublicKey & { comment: string }) | string {
  const [algorithm = '', base64 = '', ...comment] = text.split(/[ \t]+/)
  if (algorithm.startsWith('sk-')) return `${printable(algorithm)} keys (FIDO) are not supported`
  if (!isAlgorithm(algorithm)) return `${printable(algorithm)} keys are not supported`
  if (base64 === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return 'malformed key'
  const key = parseSshBlob(Buffer.from(base64, 'base64'))
  if (typeof key === 'string') return key
  return key.algorithm === algorithm ? { ...key, comment: comment.join(' ') } : 'malformed key'
}

/** Options stand before the algorithm, without blanks outside double quotes. */
function splitOptions(content: string): { options: string[]; rest: string } {
  const [first = ''] = content.split(/[ \t]/, 1)
  if (isAlgorithm(first) || /^(sk-|ssh-|ecdsa-)/.test(first)) return { options: [], rest: content }
  const options: string[] = []
  let option = ''
  let isQuoted = false
  let at = 0
  for (; at < content.length; at++) {
    const char = content.charAt(at)
    if (char === '\\' && content[at + 1] === '"') {
      option += '"'
      at++
    } else if (char === '"') isQuoted = !isQuoted
    else if (!isQuoted && char === ',') {
      options.push(option)
      option = ''
    } else if (!isQuoted && /[ \t]/.test(char)) break
    else option += char
  }
  return { options: [...options, option], rest: content.slice(at).trim() }
}

function isAlgorithm(text: string): boolean {
  return keyAlgorithms.some((algorithm) => algorithm === text)
}

function printable(text: string): string {
  return text.slice(0, 40).replace(/[^\x20-\x7e]/g, '?')
}
