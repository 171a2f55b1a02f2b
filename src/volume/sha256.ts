import { createHash, hash } from 'node:crypto'
import { parseDigest, type Digest } from '../core/digest.ts'

/** SHA-256 of bytes that are in memory. */
export function sha256(bytes: Uint8Array): Digest {
  return parseDigest(hash('sha256', bytes, 'hex'))
}

/** SHA-256 of text that is one char a byte, such as a symlink's. */
export function sha256OfLatin1(text: string): Digest {
  return sha256(Buffer.from(text, 'latin1'))
}

/** SHA-256 of bytes that come one after the other. */
export interface Sha256 {
  update(bytes: Uint8Array): void
  /** Of what came until now; more may follow. */
  soFar(): Digest
  /** Once, after the last. */
  digest(): Digest
}

/** Begins a SHA-256. */
export function startSha256(): Sha256 {
  const hash = createHash('sha256')
  return {
    update: (bytes) => void hash.update(bytes),
    soFar: () => parseDigest(hash.copy().digest('hex')),
    digest: () => parseDigest(hash.digest('hex')),
  }
}
