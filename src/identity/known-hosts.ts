import { createHmac, timingSafeEqual } from 'node:crypto'
import type { HostKeyVerdict } from '../core/credentials.ts'
import { parsePublicLine, type Refusal } from './authorized-keys.ts'

/** The host keys of stock sshds (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownHosts {
  /** Of the key that this very host and port shows; revoked counts more than known. */
  judge(host: string, port: number, keyBlob: Buffer): HostKeyVerdict
  /** The types of the keys that are listed for the host and port, such as `ssh-ed25519`; empty: it is not known. */
  keyTypes(host: string, port: number): readonly string[]
  /** Lines that were not understood; the others count. */
  readonly refusals: readonly Refusal[]
}

interface KnownHost {
  readonly isRevoked: boolean
  readonly names: readonly string[]
  readonly type: string
  readonly sshBlob: Buffer
}

const defaultPort = 22

/** Understands `host`, `[host]:port`, `*` and `?`, `!name`, hashed names and `@revoked`; refuses `@cert-authority`. */
export function parseKnownHosts(text: string): KnownHosts {
  const hosts: KnownHost[] = []
  const refusals: Refusal[] = []
  for (const [index, rawLine] of text.split('\n').entries()) {
    const content = rawLine.trim()
    if (content === '' || content.startsWith('#')) continue
    const host = parseLine(content)
    if (typeof host === 'string') refusals.push({ line: index + 1, reason: host })
    else hosts.push(host)
  }
  const linesOf = (host: string, port: number): readonly KnownHost[] => {
    const lower = host.toLowerCase()
    const name = port === defaultPort ? lower : `[${lower}]:${port}`
    return hosts.filter((known) => matchesAny(known, name))
  }
  return {
    refusals,
    judge: (host, port, keyBlob) => judge(linesOf(host, port), keyBlob),
    keyTypes: (host, port) => {
      const listed = linesOf(host, port).filter(({ isRevoked }) => !isRevoked)
      return [...new Set(listed.map(({ type }) => type))]
    },
  }
}

function parseLine(content: string): KnownHost | string {
  const words = content.split(/[ \t]+/)
  const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined
  if (marker !== undefined && marker !== '@revoked') return 'only the marker @revoked is supported'
  const names = (words.shift() ?? '').split(',').filter((name) => name !== '')
  const key = parsePublicLine(words.join(' '))
  if (typeof key === 'string') return key
  return { isRevoked: marker !== undefined, names, type: key.algorithm, sshBlob: key.sshBlob }
}

function judge(lines: readonly KnownHost[], keyBlob: Buffer): HostKeyVerdict {
  const listed = lines.filter(({ sshBlob }) => sshBlob.equals(keyBlob))
  if (listed.some(({ isRevoked }) => isRevoked)) return 'revoked'
  if (listed.length > 0) return 'known'
  return lines.some(({ isRevoked }) => !isRevoked) ? 'changed' : 'unknown'
}

function matchesAny(known: KnownHost, name: string): boolean {
  const isNegated = known.names.some(
    (pattern) => pattern.startsWith('!') && matchesName(pattern.slice(1), name),
  )
  return !isNegated && known.names.some((pattern) => matchesName(pattern, name))
}

function matchesName(pattern: string, name: string): boolean {
  if (pattern.startsWith('|')) return matchesHash(pattern, name)
  const expression = pattern
    .toLowerCase()
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${expression}$`).test(name)
}

/** `|1|base64 salt|base64 HMAC-SHA1(salt, name)` */
function matchesHash(pattern: string, name: string): boolean {
  const [, version, salt = '', hash = ''] = pattern.split('|')
  if (version !== '1') return false
  const expected = Buffer.from(hash, 'base64')
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest()
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}
