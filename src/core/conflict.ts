import type { Entry, FileEntry, SymlinkEntry } from './entry.ts'
import {
  joinPath,
  maxNameBytes,
  maxPathBytes,
  nameOf,
  parentOf,
  parseRelativePath,
  pathRefusal,
  type RelativePath,
} from './relative-path.ts'
import { formatDot, vectorOf } from './version-vector.ts'

/** What can lose a conflict and needs a copy: a directory never loses its content, a tombstone has none. */
export type Loser = FileEntry | SymlinkEntry

export function canHaveCopy(entry: Entry): entry is Loser {
  return entry.kind === 'file' || entry.kind === 'symlink'
}

/**
 * Rule 7: the conflict copy as an entry that anybody could have sent: the loser's content under the vector {its dot}. Every peer that
 * makes it makes the equal entry. `attempt` picks another name where that one is taken by other content (0: the usual name).
 */
export function conflictCopyOf(loser: Loser, attempt = 0): Loser {
  return {
    ...loser,
    path: conflictCopyPath(loser, attempt),
    version: vectorOf(loser.contentDot),
    metadataDot: loser.contentDot,
  }
}

const suffixPattern = /\.sync-conflict-\d{8}-\d{6}-([0-9a-f]{8})/

/** How many names a conflict copy may have. */
export const copyAttempts = 4

/** Whether a name is that of a conflict copy. */
export function isConflictCopy(path: RelativePath): boolean {
  return suffixPattern.test(nameOf(path))
}

/** Whether it has the content that it was made for, as its name says: nobody wrote anything else into it since. */
export function isUnalteredCopy(entry: Entry): boolean {
  const hash = suffixPattern.exec(nameOf(entry.path))?.[1]
  if (hash === undefined || !canHaveCopy(entry)) return false
  return Array.from({ length: copyAttempts }, (_, attempt) => attempt).some(
    (attempt) =>
      hash === hashOf(entry, `${attempt}`) || hash === hashOf(entry, againOf(`${attempt}`)),
  )
}

/** The path that a conflict copy is of, unless its name had to be cut; of any other path itself, also where no name is left that could be synced. */
export function originalOf(path: RelativePath): RelativePath {
  const parent = parentOf(path)
  const name = nameOf(path).replace(suffixPattern, '')
  const original = parent === null ? name : `${parent}/${name}`
  return pathRefusal(original) === null ? parseRelativePath(original) : path
}

/**
 * README, Conflict copies: `<stem>.sync-conflict-<YYYYMMDD>-<HHMMSS>-<8 hex><ext>`, of the entry alone. Beside the loser; where the path would
 * be too long, in the nearest directory above that has room. A copy that loses its name to other content gets another than its own.
 */
export function conflictCopyPath(loser: Loser, attempt = 0): RelativePath {
  const path = copyPath(loser, `${attempt}`)
  return path === loser.path ? copyPath(loser, againOf(`${attempt}`)) : path
}

function copyPath(loser: Loser, attempt: string): RelativePath {
  const name = nameOf(loser.path).replace(suffixPattern, '')
  const suffix = `.sync-conflict-${timeStamp(loser.mtimeUs)}-${hashOf(loser, attempt)}`
  let parent = parentOf(loser.path)
  while (roomIn(parent) <= suffix.length && parent !== null) parent = parentOf(parent)
  const room = roomIn(parent)
  const dot = name.lastIndexOf('.')
  const hasExtension = dot > 0 && suffix.length + (name.length - dot) < room
  const stem = hasExtension ? name.slice(0, dot) : name
  const extension = hasExtension ? name.slice(dot) : ''
  return joinPath(
    parent,
    cutAtCharacter(stem, room - suffix.length - extension.length) + suffix + extension,
  )
}

function againOf(attempt: string): string {
  return `${attempt}/again`
}

function hashOf({ contentDot, digest }: Loser, attempt: string): string {
  return fnv1a(`${formatDot(contentDot)}/${digest}/${attempt}`)
}

/** How long a name may be in `parent`. */
function roomIn(parent: RelativePath | null): number {
  return Math.min(maxNameBytes, maxPathBytes - (parent === null ? 0 : parent.length + 1))
}

/** At most `bytes` bytes of latin1 `text`, without half a UTF-8 character at its end. */
function cutAtCharacter(text: string, bytes: number): string {
  if (text.length <= bytes) return text
  let end = bytes
  while (end > 0 && isContinuation(text, end)) end--
  // A character has at most three such bytes: more of them are no UTF-8, and cut anywhere.
  return text.slice(0, bytes - end > 3 ? bytes : end)
}

function isContinuation(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xc0) === 0x80
}

/** `YYYYMMDD-HHMMSS` in UTC; times outside the years 1970 to 9999 are drawn to their bounds. */
function timeStamp(mtimeUs: number): string {
  const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59)
  const ms = Math.min(Math.max(Math.floor(mtimeUs / 1000), 0), lastMs)
  const [date = '', time = ''] = new Date(ms).toISOString().split('T')
  return `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}`
}

/** 32-bit FNV-1a (RFC draft-eastlake-fnv), 8 hex digits. Tells copies apart; nothing secret hangs on it. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  return (hash >>> 0).toString(16).padStart(8, '0')
}
