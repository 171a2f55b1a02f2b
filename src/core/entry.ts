import type { Digest } from './digest.ts'
import type { RelativePath } from './relative-path.ts'
import { compareVectors, dotsEqual, type Dot, type VersionVector } from './version-vector.ts'

/** What every version of a path carries, alive or deleted (rule 3). */
interface Versioned {
  readonly path: RelativePath
  readonly version: VersionVector
  /** The write that made the content; of a tombstone, the delete. */
  readonly contentDot: Dot
  /** The write that made the mode, or the last that changed only the mtime; a content write that leaves the mode keeps it. */
  readonly metadataDot: Dot
  /** Permission bits, 0 to 0o777. */
  readonly mode: number
  /** Microseconds since 1970, as announced, a safe integer (may be negative); of a directory a hint, never compared (rule 12). */
  readonly mtimeUs: number
}

export interface FileEntry extends Versioned {
  readonly kind: 'file'
  readonly digest: Digest
  readonly sizeBytes: number
}

export interface DirectoryEntry extends Versioned {
  readonly kind: 'directory'
}

export interface SymlinkEntry extends Versioned {
  readonly kind: 'symlink'
  /** SHA-256 of the target. */
  readonly digest: Digest
  /** The link's text, latin1, 1 to 4,095 bytes. */
  readonly target: string
}

/** A delete, kept for ever (rule 21). `mode` is the mode of what it removed; its mtime is when it was deleted. */
export interface Tombstone extends Versioned {
  readonly kind: 'tombstone'
  readonly removedKind: LiveKind
  /** Digest of the removed file or link, null for a directory. */
  readonly removedDigest: Digest | null
}

export type LiveEntry = FileEntry | DirectoryEntry | SymlinkEntry
/** A version of a path, as it is announced. */
export type Entry = LiveEntry | Tombstone
export type LiveKind = LiveEntry['kind']
export type Kind = Entry['kind']

/** What distinguishes the content of two entries of one path: kind and digest. */
export function sameContent(a: Entry, b: Entry): boolean {
  return a.kind === b.kind && contentDigest(a) === contentDigest(b)
}

/** Digest of a file or symlink; null for a directory; for a tombstone null too: two deletes are the same content. */
export function contentDigest(entry: Entry): Digest | null {
  return entry.kind === 'file' || entry.kind === 'symlink' ? entry.digest : null
}

/** Mode and mtime as far as they count: a symlink has no mode, a directory's mtime and a tombstone's are never compared. */
export function sameMetadata(a: Entry, b: Entry): boolean {
  if (a.kind === 'tombstone' || b.kind === 'tombstone') return a.kind === b.kind
  if (a.kind !== 'symlink' && a.mode !== b.mode) return false
  return a.kind !== 'file' || a.mtimeUs === b.mtimeUs
}

/**
 * Equal in everything that is announced: what one of the two knows the other knows. Equal vectors alone do not say so (rule 6), nor do equal
 * values: who wrote them decides what a third version stands to. A directory's mtime does not count.
 */
export function sameEntry(a: Entry, b: Entry): boolean {
  return compareVectors(a.version, b.version) === 'equal' && sameAnnounced(a, b)
}

/** As `sameEntry`, whatever the vectors. */
export function sameAnnounced(a: Entry, b: Entry): boolean {
  if (!dotsEqual(a.contentDot, b.contentDot) || !dotsEqual(a.metadataDot, b.metadataDot))
    return false
  if (!sameContent(a, b) || a.mode !== b.mode) return false
  if (a.kind === 'tombstone' && b.kind === 'tombstone') {
    if (a.removedKind !== b.removedKind || a.removedDigest !== b.removedDigest) return false
  }
  return a.kind === 'directory' || a.mtimeUs === b.mtimeUs
}

export function isLive(entry: Entry | null | undefined): entry is LiveEntry {
  return entry !== null && entry !== undefined && entry.kind !== 'tombstone'
}
