import { timingSafeEqual } from 'node:crypto'
import ssh2 from 'ssh2'
import type { AuthContext } from 'ssh2'
import type { KeyFingerprint } from '../../core/credentials.ts'

/** A public key that may log in. */
export interface AuthorizedKey {
  readonly fingerprint: KeyFingerprint
  /** The key as SSH writes it (RFC 4253 6.6), which also names its algorithm. */
  readonly sshBlob: Buffer
  readonly algorithm: string
}

export type LoginVerdict =
  | { readonly kind: 'proved'; readonly key: AuthorizedKey }
  /** The key would do; the signature comes next. */
  | { readonly kind: 'offered' }
  | { readonly kind: 'refused'; readonly reason: 'method' | 'unknown-key' | 'signature' }

/**
 * Whether a login attempt proves one of `keys`. ssh2 leaves all of it to its user: the signature is verified here, over this session, and RSA only
 * with SHA-2.
 */
export function judgeLogin(context: AuthContext, keys: readonly AuthorizedKey[]): LoginVerdict {
  if (context.method !== 'publickey') return { kind: 'refused', reason: 'method' }
  const { algo, data } = context.key
  const isWeak =
    algo === 'ssh-rsa' && context.hashAlgo !== 'sha256' && context.hashAlgo !== 'sha512'
  const key = keys.find(({ algorithm, sshBlob }) => algorithm === algo && isSame(sshBlob, data))
  if (key === undefined || isWeak) return { kind: 'refused', reason: 'unknown-key' }
  const { signature, blob } = context
  if (signature === undefined || blob === undefined) return { kind: 'offered' }
  const parsed = ssh2.utils.parseKey(data)
  if (parsed instanceof Error) return { kind: 'refused', reason: 'signature' }
  // Its types say boolean; what it cannot verify at all it answers with an Error.
  const isGenuine: unknown = parsed.verify(blob, signature, context.hashAlgo)
  if (isGenuine !== true) return { kind: 'refused', reason: 'signature' }
  return { kind: 'proved', key }
}

/** Whether `keys` still has the key. */
export function isAuthorized(keys: readonly AuthorizedKey[], key: AuthorizedKey): boolean {
  return keys.some(({ sshBlob }) => isSame(sshBlob, key.sshBlob))
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
