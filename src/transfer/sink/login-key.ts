import ssh2 from 'ssh2'
import type { ParsedKey } from 'ssh2'
import { SyndError } from '../../core/errors.ts'

/**
 * The private key for logins. RSA signs with SHA-2 only: to a server that does not say what it takes (RFC 8308) ssh2 would give a signature of
 * SHA-1. Throws SyndError `bad-key`.
 */
export function loginKey(privateKey: string): ParsedKey {
  const key = ssh2.utils.parseKey(privateKey)
  if (key instanceof Error) throw new SyndError('bad-key', key.message, { cause: key })
  const sign = key.sign.bind(key)
  key.sign = (data: Buffer | string, algorithm?: string): Buffer =>
    algorithm === 'sha1' ? noSignature : sign(data, algorithm)
  return key
}

/** Which no server takes: the login is refused. */
const noSignature = Buffer.alloc(0)
