import { sameContent, type Entry, type FileEntry, type SymlinkEntry } from '../../src/core/entry.ts'
import { coversDot } from '../../src/core/version-vector.ts'

/** Content that a user can lose: a directory has none. */
export type Content = FileEntry | SymlinkEntry

/** What users did, as somebody knows who saw them all. */
export interface Truth {
  /** Every version that a user made: writes, deletes, changes of mode or mtime. */
  readonly made: Entry[]
  /** Of these, the writes of content. */
  readonly written: Content[]
  /** Of these, the versions that came with a metadata dot of their own. */
  readonly metadata: Entry[]
  /** What a user had before the eyes and wrote over or removed, the path's or a copy's. */
  readonly overwritten: Content[]
  /** A peer died before a commit: its scan took for a user's what was a peer's. */
  hasDied: boolean
}

export function emptyTruth(): Truth {
  return { made: [], written: [], metadata: [], overwritten: [], hasDied: false }
}

export function isContent(entry: Entry | undefined | null): entry is Content {
  return entry?.kind === 'file' || entry?.kind === 'symlink'
}

/** Everything written that no user gave up: it must be live somewhere. */
export function stillWanted(truth: Truth): Content[] {
  return truth.written.filter((write) => !truth.overwritten.some((seen) => isSeen(write, seen)))
}

/**
 * Whether who had `seen` before the eyes saw this write: the same content, in a version that covers it. Where two wrote the same content
 * without knowing of each other, who saw one saw the other (rule 5); what was restored later has not been seen.
 */
function isSeen(write: Content, seen: Content): boolean {
  if (!sameContent(seen, write)) return false
  return coversDot(seen.version, write.contentDot) || !coversDot(write.version, seen.contentDot)
}

/** What a user made who had seen everything else that users made of that path: it must stand, whatever the mtimes. */
export function lastWords(truth: Truth): Entry[] {
  if (truth.hasDied) return []
  return truth.made.filter(({ path, version }) =>
    truth.made.every(
      (other) =>
        other.path !== path ||
        (coversDot(version, other.contentDot) && coversDot(version, other.metadataDot)),
    ),
  )
}

/** The mode of who had seen every other mode of that path: it must stand, whoever's content does. */
export function lastModes(truth: Truth): Entry[] {
  if (truth.hasDied) return []
  return truth.metadata.filter(({ path, kind, version }) =>
    truth.metadata.every(
      (other) =>
        other.path !== path || (other.kind === kind && coversDot(version, other.metadataDot)),
    ),
  )
}
