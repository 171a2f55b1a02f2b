import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { KeyFingerprint } from '../core/credentials.ts'
import { joinFields, mpint, splitFields, unsigned } from './ssh-wire.ts'

/** How SSH names the kinds of keys that Synd takes. */
export const keyAlgorithms = [
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
] as const

export type KeyAlgorithm = (typeof keyAlgorithms)[number]

/** A public key in the two forms that are needed: OpenSSL's for TLS, SSH's blob (RFC 4253 6.6, 5656, 8709) for SCP. */
export interface PublicKey {
  readonly fingerprint: KeyFingerprint
  readonly algorithm: KeyAlgorithm
  readonly publicKey: KeyObject
  readonly sshBlob: Buffer
}

/** OpenSSL's security level 2, which Node's TLS uses, refuses shorter RSA keys. */
const minRsaBits = 2048
/** OpenSSH's own maximum; longer ones only cost time. */
const maxRsaBits = 16_384

const curves = {
  'P-256': { algorithm: 'ecdsa-sha2-nistp256', name: 'nistp256', bytes: 32 },
  'P-384': { algorithm: 'ecdsa-sha2-nistp384', name: 'nistp384', bytes: 48 },
  'P-521': { algorithm: 'ecdsa-sha2-nistp521', name: 'nistp521', bytes: 66 },
} as const

/** The public half of any key object; a string says in words why Synd cannot use it. */
export function publicKeyOf(key: KeyObject): PublicKey | string {
  const type = key.asymmetricKeyType
  if (type !== 'ed25519' && type !== 'rsa' && type !== 'ec') return `${type ?? 'secret'} key`
  const jwk = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  return fromJwk(jwk)
}

/** The key in an SSH blob; a string says in words why it is none that Synd can use. Bytes after the key are refused. */
export function parseSshBlob(blob: Buffer): PublicKey | string {
  const fields = splitFields(blob)
  const algorithm = fields?.[0]?.toString('latin1')
  if (fields === null || algorithm === undefined) return 'malformed key'
  const jwk = jwkOfFields(algorithm, fields)
  if (jwk === null) return `${printable(algorithm)} key`
  const key = fromJwk(jwk)
  if (typeof key === 'string') return key
  return key.algorithm === algorithm && key.sshBlob.equals(blob) ? key : 'malformed key'
}

/** The fingerprint of the key in an SSH blob, null when it is none that Synd takes. */
export function fingerprintOfBlob(blob: Buffer): KeyFingerprint | null {
  const key = parseSshBlob(blob)
  return typeof key === 'string' ? null : key.fingerprint
}

/** The line for an authorized_keys file. */
export function publicLine(key: PublicKey, comment: string): string {
  const line = `${key.algorithm} ${key.sshBlob.toString('base64')}`
  return comment === '' ? line : `${line} ${comment}`
}

function jwkOfFields(algorithm: string, fields: readonly Buffer[]): JsonWebKey | null {
  const [, second = Buffer.alloc(0), third = Buffer.alloc(0)] = fields
  if (algorithm === 'ssh-ed25519') {
    return { kty: 'OKP', crv: 'Ed25519', x: second.toString('base64url') }
  }
  if (algorithm === 'ssh-rsa') {
    return {
      kty: 'RSA',
      e: unsigned(second).toString('base64url'),
      n: unsigned(third).toString('base64url'),
    }
  }
  for (const [crv, curve] of Object.entries(curves)) {
    if (curve.algorithm !== algorithm) continue
    const x = third.subarray(1, 1 + curve.bytes).toString('base64url')
    const y = third.subarray(1 + curve.bytes).toString('base64url')
    return { kty: 'EC', crv, x, y }
  }
  return null
}

function fromJwk(jwk: JsonWebKey): PublicKey | string {
  const encoded = encode(jwk)
  if (typeof encoded === 'string') return encoded
  let publicKey: KeyObject
  try {
    publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    // Not a point of the curve, or a length that does not fit.
    return 'malformed key'
  }
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const fingerprint = createHash('sha256').update(spki).digest('hex')
  return { ...encoded, fingerprint, publicKey }
}

function encode(jwk: JsonWebKey): { algorithm: KeyAlgorithm; sshBlob: Buffer } | string {
  const x = Buffer.from(jwk.x ?? '', 'base64url')
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') {
    return { algorithm: 'ssh-ed25519', sshBlob: joinFields([Buffer.from('ssh-ed25519'), x]) }
  }
  if (jwk.kty === 'RSA') return encodeRsa(jwk)
  const curve = Object.entries(curves).find(([crv]) => crv === jwk.crv)?.[1]
  if (jwk.kty !== 'EC' || curve === undefined) return `${jwk.crv ?? jwk.kty ?? 'unknown'} key`
  const point = Buffer.concat([Buffer.of(4), x, Buffer.from(jwk.y ?? '', 'base64url')])
  const sshBlob = joinFields([Buffer.from(curve.algorithm), Buffer.from(curve.name), point])
  return { algorithm: curve.algorithm, sshBlob }
}

function encodeRsa(jwk: JsonWebKey): { algorithm: KeyAlgorithm; sshBlob: Buffer } | string {
  const e = Buffer.from(jwk.e ?? '', 'base64url')
  const n = Buffer.from(jwk.n ?? '', 'base64url')
  const bits = n.length === 0 ? 0 : n.length * 8 - Math.clz32(n[0] ?? 0) + 24
  if (bits < minRsaBits) return `RSA key of ${bits} bits (at least ${minRsaBits})`
  if (bits > maxRsaBits) return `RSA key of ${bits} bits (at most ${maxRsaBits})`
  return {
    algorithm: 'ssh-rsa',
    sshBlob: joinFields([Buffer.from('ssh-rsa'), mpint(e), mpint(n)]),
  }
}

function printable(text: string): string {
  return text.slice(0, 64).replace(/[^\x21-\x7e]/g, '?')
}
