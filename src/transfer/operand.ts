import { parseDigest, type Digest } from '../core/digest.ts'
import { SyndError } from '../core/errors.ts'
import { parseRelativePath, type RelativePath } from '../core/relative-path.ts'

/** A file as one Synd asks another for it. */
export interface Operand {
  readonly path: RelativePath
  readonly sizeBytes: number
  readonly digest: Digest
}

/**
 * The operands of `synd-scp`, safe for every byte in a name, whatever decodes the command on its way:
 *
 *     operand = path ":" size ":" digest [ "@" offset "+" length ]
 *     path    = relative to the volume; each byte other than A-Z a-z 0-9 . _ / - as %XX, in capitals
 *     size    = decimal; digest = SHA-256, 64 lower-case hex digits: of the whole file
 *
 * The source sends exactly that many bytes of exactly that version, or answers `superseded`. A range asks for `length` bytes of that version
 * from `offset`; it is kept free for block lists and refused in words until then.
 */
export function encodeOperand(operand: Operand): string {
  return `${encodePath(operand.path)}:${operand.sizeBytes}:${operand.digest}`
}

/** Throws `protocol` in words, or `bad-path`. */
export function parseOperand(text: string): Operand {
  const [, encoded, size, digest, range] =
    /^((?:[A-Za-z0-9._/-]|%[0-9A-F]{2})+):(0|[1-9]\d{0,15}):([0-9a-f]{64})(@\d+\+\d+)?$/.exec(
      text,
    ) ?? []
  const sizeBytes = Number(size)
  if (encoded === undefined || digest === undefined || !Number.isSafeInteger(sizeBytes))
    throw new SyndError('protocol', 'an operand is not path:size:digest')
  if (range !== undefined) throw new SyndError('protocol', 'ranges are not offered')
  return { path: parseRelativePath(decodePath(encoded)), sizeBytes, digest: parseDigest(digest) }
}

/** What the source says instead of a file that it holds no longer in the version that was asked for. */
export const supersededText = 'synd-scp: superseded'

function encodePath(path: RelativePath): string {
  return path.replace(/[^A-Za-z0-9._/-]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}

function decodePath(encoded: string): string {
  return encoded.replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
