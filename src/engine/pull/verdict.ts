import type { Loser } from '../../core/conflict.ts'
import type { Entry, FileEntry } from '../../core/entry.ts'
import type { RemoteRecord } from '../../core/index-record.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { StageExpectation } from '../ports.ts'

/** What is to be done about a path. */
export interface Intent {
  readonly path: RelativePath
  /** What the index is to hold. */
  readonly entry: Entry
  /** The announcement that led to it; null: ours, whose bytes are missing here. */
  readonly remote: RemoteRecord | null
  /** What must have a conflict copy first. */
  readonly loser: Loser | null
  readonly isVersionReuse: boolean
  /** Content that is not on this disk under this name yet. */
  readonly needsBytes: boolean
  /** Content that was here and is not any more: peers that took it over from us may never have announced it back. */
  readonly isLost: boolean
}

export type Verdict =
  /** Nothing more to do until something is announced or committed. */
  | { readonly kind: 'settled' }
  /** Not now: another path comes first (null: another peer must act). */
  | { readonly kind: 'park'; readonly on: RelativePath | null }
  | { readonly kind: 'intent'; readonly intent: Intent }

/** The file that an intent needs bytes for. */
export function fileOf({ entry }: Intent): FileEntry {
  if (entry.kind !== 'file') throw new Error('only files have bytes')
  return entry
}

/** With mode and mtime, so that the file reaches the disk with all it is published with at one sync. */
export function expectationOf(intent: Intent): StageExpectation {
  const { digest, sizeBytes, mode, mtimeUs } = fileOf(intent)
  return { digest, sizeBytes, metadata: { mode, mtimeUs } }
}
