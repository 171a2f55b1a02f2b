import { createHash, createPublicKey } from 'node:crypto'
import ssh2 from 'ssh2'
import type { AuthorizedKey } from '../../src/transfer/source/login.ts'

/** A key pair as the identity module gives it to the transfer. */
export interface TestKey extends AuthorizedKey {
  /** OpenSSH private key text. */
  readonly sshPem: string
  readonly publicLine: string
}

/** A new key pair; RSA with 2,048 bits, ECDSA on P-256. */
export function makeKey(type: 'ed25519' | 'rsa' | 'ecdsa' = 'ed25519'): TestKey {
  const pair =
    type === 'rsa'
      ? ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 })
      : type === 'ecdsa'
        ? ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 })
        : ssh2.utils.generateKeyPairSync('ed25519')
  const parsed = ssh2.utils.parseKey(pair.public)
  if (parsed instanceof Error) throw parsed
  const sshBlob = parsed.getPublicSSH()
  const fingerprint = fingerprintOfBlob(sshBlob)
  if (fingerprint === null) throw new Error('no key')
  return {
    fingerprint,
    sshBlob,
    algorithm: parsed.type,
    sshPem: pair.private,
    publicLine: pair.public,
  }
}

/** SHA-256 of the SPKI of the key in an SSH blob. */
export function fingerprintOfBlob(blob: Buffer): string | null {
  const parsed = ssh2.utils.parseKey(blob)
  if (parsed instanceof Error) return null
  const spki = createPublicKey(parsed.getPublicPEM()).export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('hex')
}
