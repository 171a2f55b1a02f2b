import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { publicKeyOf, publicLine } from '../../src/identity/public-key.ts'
import { formatPrivateKey } from '../../src/identity/ssh-private-key.ts'
import type { AuthorizedKey } from '../../src/transfer/source/login.ts'

/** A key pair as the identity module gives it to the transfer. */
export interface TestKey extends AuthorizedKey {
  /** OpenSSH private key text. */
  readonly sshPem: string
  readonly publicLine: string
}

/** A new key pair; RSA with 2,048 bits, ECDSA on P-256. Not ssh2's own generator: one in 200 of its ed25519 keys is malformed. */
export function makeKey(type: 'ed25519' | 'rsa' | 'ecdsa' = 'ed25519'): TestKey {
  const privateKey = generate(type)
  const key = publicKeyOf(privateKey)
  if (typeof key === 'string') throw new Error(key)
  return {
    fingerprint: key.fingerprint,
    sshBlob: key.sshBlob,
    algorithm: key.algorithm,
    sshPem: formatPrivateKey(key, privateKey, ''),
    publicLine: publicLine(key, ''),
  }
}

function generate(type: 'ed25519' | 'rsa' | 'ecdsa'): KeyObject {
  if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  if (type === 'ecdsa') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  return generateKeyPairSync('ed25519').privateKey
}
