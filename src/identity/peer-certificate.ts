import type { X509Certificate } from 'node:crypto'
import type { KeyFingerprint } from '../core/credentials.ts'
import { certificateName, leafName } from './certificate.ts'
import type { PublicKey } from './public-key.ts'

/**
 * The authorized key that issued a leaf, or null. TLS has checked the chain to some anchor; here it is the whole statement that counts: one
 * issuer, that issuer's name and no other, and that issuer's own signature, so that no member can speak in another's name.
 */
export function issuerOfLeaf(
  leaf: X509Certificate,
  authorized: readonly PublicKey[],
  nowMs: number,
): KeyFingerprint | null {
  const issuer = authorized.find(
    ({ fingerprint }) => leaf.issuer === `CN=${certificateName(fingerprint)}`,
  )
  if (issuer === undefined) return null
  if (leaf.subjectAltName !== `DNS:${leafName(issuer.fingerprint)}`) return null
  if (leaf.ca || !leaf.verify(issuer.publicKey)) return null
  if (nowMs < leaf.validFromDate.getTime() || nowMs > leaf.validToDate.getTime()) return null
  return issuer.fingerprint
}
