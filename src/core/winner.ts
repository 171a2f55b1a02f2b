import { contentDigest, type Entry, type Kind } from './entry.ts'

/** directory > file > symlink > tombstone: an edit beats a delete, and a directory can keep what is below it. */
const rank: Readonly<Record<Kind, number>> = { directory: 3, file: 2, symlink: 1, tombstone: 0 }

/**
 * Rule 5: which of two contents of one path stands, as a total order on announced values: kind, mtime, digest, mode. No peer id is
 * in it, so every peer picks the same. Positive when `a` wins; 0 only for values that are equal in all of these.
 */
export function compareForWinner(a: Entry, b: Entry): number {
  if (a.kind !== b.kind) return rank[a.kind] - rank[b.kind]
  if (a.mtimeUs !== b.mtimeUs) return a.mtimeUs - b.mtimeUs
  const digestA = contentDigest(a) ?? ''
  const digestB = contentDigest(b) ?? ''
  if (digestA !== digestB) return digestA < digestB ? -1 : 1
  return a.mode - b.mode
}
