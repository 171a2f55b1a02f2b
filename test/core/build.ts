import { parseDigest, type Digest } from '../../src/core/digest.ts'
import type { DirectoryEntry, FileEntry, SymlinkEntry, Tombstone } from '../../src/core/entry.ts'
import { parsePeerId, type PeerId } from '../../src/core/peer-id.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { vectorOf, type Dot, type VersionVector } from '../../src/core/version-vector.ts'

/** The id of a peer in a test, by one hex digit: `a` is aaaaaaaaaaaaaaaa. */
export function peer(letter: string): PeerId {
  return parsePeerId(letter.repeat(16))
}

/** `a3` is the third write of peer a. */
export function dot(text: string): Dot {
  return { peer: peer(text.slice(0, 1)), counter: Number(text.slice(1)) }
}

/** `a3 b1` */
export function vector(text: string): VersionVector {
  return vectorOf(...text.split(' ').filter(Boolean).map(dot))
}

/** The digest of a content that a test knows by a number. */
export function digest(content: number): Digest {
  return parseDigest(content.toString(16).padStart(64, '0'))
}

/** The parts of an entry in short: `version` as for `vector`, `by` the content dot, `mode by` the metadata dot (else as `by`). */
export interface Shape {
  readonly path?: string
  readonly version: string
  readonly by: string
  readonly modeBy?: string
  readonly mode?: number
  readonly mtimeUs?: number
  readonly content?: number
}

export function file(shape: Shape): FileEntry {
  return { ...shared(shape), kind: 'file', digest: digest(shape.content ?? 1), sizeBytes: 10 }
}

export function symlink(shape: Shape): SymlinkEntry {
  const content = shape.content ?? 1
  return { ...shared(shape), kind: 'symlink', digest: digest(content), target: `to-${content}` }
}

export function directory(shape: Shape): DirectoryEntry {
  return { ...shared(shape), kind: 'directory' }
}

/** A tombstone of the file with `content`. */
export function tombstone(shape: Shape): Tombstone {
  return {
    ...shared(shape),
    kind: 'tombstone',
    removedKind: 'file',
    removedDigest: digest(shape.content ?? 1),
  }
}

function shared(shape: Shape) {
  return {
    path: parseRelativePath(shape.path ?? 'f.txt'),
    version: vector(shape.version),
    contentDot: dot(shape.by),
    metadataDot: dot(shape.modeBy ?? shape.by),
    mode: shape.mode ?? 0o644,
    mtimeUs: shape.mtimeUs ?? 1_000_000,
  }
}
