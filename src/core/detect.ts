import type { Digest } from './digest.ts'
import { isLive, sameContent, sameMetadata, type Entry, type LiveEntry } from './entry.ts'
import { toMicroseconds, type Observation } from './observation.ts'
import type { RelativePath } from './relative-path.ts'
import {
  compareVectors,
  emptyVector,
  mergeVectors,
  withDot,
  type Dot,
  type VersionVector,
} from './version-vector.ts'

/** What was found at a path: content as hashed, the rest as observed. */
export interface Finding {
  readonly path: RelativePath
  readonly observation: Observation
  /** Of a file or symlink; null for a directory. */
  readonly digest: Digest | null
  /** Of a symlink, else null. */
  readonly target: string | null
}

/** What detect makes of a finding, before a dot is issued: content is new, only mode or mtime is, or nothing that is announced. */
export type Detected = 'content' | 'metadata' | 'nothing'

/** Compares a finding with the entry of the index. A volume that keeps no modes never makes a mode version (rule 13). */
export function detect(
  known: Entry | null,
  finding: Finding,
  options: { readonly keepsModes: boolean },
): Detected {
  if (!isLive(known)) return 'content'
  const found = draft(finding, {
    known,
    version: known.version,
    dot: known.contentDot,
    keepsModes: options.keepsModes,
  })
  if (!sameContent(known, found)) return 'content'
  return sameMetadata(known, found) ? 'nothing' : 'metadata'
}

/** The entry for a finding as the version that `dot` makes over `known`, and over what else `over` covers. */
export function newVersion(
  known: Entry | null,
  finding: Finding,
  options: { readonly dot: Dot; readonly keepsModes: boolean; readonly over?: VersionVector },
): LiveEntry {
  const { dot, keepsModes, over = emptyVector } = options
  const version = withDot(mergeVectors(known?.version ?? emptyVector, over), dot)
  return draft(finding, { known, version, dot, keepsModes })
}

/** The entry for a finding while joining: the empty vector, over nothing (rule 9). `pseudoDot` is a function of the content. */
export function unversionedEntry(
  finding: Finding,
  options: { readonly pseudoDot: Dot; readonly keepsModes: boolean },
): LiveEntry {
  return draft(finding, {
    known: null,
    version: emptyVector,
    dot: options.pseudoDot,
    keepsModes: options.keepsModes,
  })
}

/** Rule 10: the version that a peer announced of exactly what was found, newer than what the index knows; else null. */
export function announcedVersion(
  known: Entry | null,
  found: LiveEntry,
  announced: readonly Entry[],
): Entry | null {
  for (const entry of announced) {
    const isNewer = known === null || compareVectors(known.version, entry.version) === 'behind'
    if (isNewer && sameContent(entry, found) && sameMetadata(entry, found)) return entry
  }
  return null
}

/** What a removed path leaves (rule 3), also over what else `over` covers. `deletedUs` is when it was seen to be gone. */
export function tombstoneOf(
  known: LiveEntry,
  options: { readonly dot: Dot; readonly deletedUs: number; readonly over?: VersionVector },
): Entry {
  const { dot, deletedUs, over = emptyVector } = options
  return {
    path: known.path,
    kind: 'tombstone',
    version: withDot(mergeVectors(known.version, over), dot),
    contentDot: dot,
    metadataDot: dot,
    mode: known.mode,
    mtimeUs: deletedUs,
    removedKind: known.kind,
    removedDigest: known.kind === 'directory' ? null : known.digest,
  }
}

/** Ours again, as a new version over everything seen (rules 9 and 11). */
export function stampedAnew(entry: LiveEntry, over: VersionVector, dot: Dot): LiveEntry {
  return { ...entry, version: withDot(over, dot), contentDot: dot, metadataDot: dot }
}

interface Draft {
  readonly known: Entry | null
  readonly version: VersionVector
  readonly dot: Dot
  readonly keepsModes: boolean
}

function draft(finding: Finding, { known, version, dot, keepsModes }: Draft): LiveEntry {
  const { path, observation, digest, target } = finding
  const before = isLive(known) && known.kind === observation.kind ? known : null
  const seenMode = observation.kind === 'symlink' ? 0o777 : observation.mode & 0o777
  const mode = keepsModes ? seenMode : (before?.mode ?? defaultModes[observation.kind])
  const mtimeUs = toMicroseconds(observation.mtimeNs)
  const kept = before !== null && before.mode === mode
  const shared = { path, version, mode, mtimeUs }
  if (observation.kind === 'directory') {
    // A directory has no content that changes: what stays of it is the write that made it.
    const contentDot = before === null ? dot : before.contentDot
    return { ...shared, kind: 'directory', contentDot, metadataDot: dot }
  }
  if (digest === null) throw new Error(`no digest for ${observation.kind}`)
  const isSameContent = before !== null && before.kind !== 'directory' && before.digest === digest
  const contentDot = isSameContent ? before.contentDot : dot
  const metadataDot = kept && !isSameContent ? before.metadataDot : dot
  if (observation.kind === 'symlink') {
    if (target === null) throw new Error('no target for symlink')
    return { ...shared, kind: 'symlink', contentDot, metadataDot, digest, target }
  }
  return {
    ...shared,
    kind: 'file',
    contentDot,
    metadataDot,
    digest,
    sizeBytes: observation.sizeBytes,
  }
}

/** Announced for what is made on a volume that keeps no modes. */
const defaultModes = { file: 0o644, directory: 0o755, symlink: 0o777 } as const
