import { SyndError } from './errors.ts'

declare const brand: unique symbol

/** SHA-256 of a file's content or of a symlink's text: 64 lower-case hex digits. */
export type Digest = string & { readonly [brand]: 'Digest' }

/** Throws `bad-entry` for anything but 64 lower-case hex digits. */
export function parseDigest(text: string): Digest {
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new SyndError('bad-entry', `digest of ${text.length} hex digits (expected 64)`)
  return text as Digest
}

/** SHA-256 of latin1 text; handed to core, which hashes nothing itself. */
export type Sha256 = (latin1: string) => Digest
