import type { Entry } from './entry.ts'
import type { Observation } from './observation.ts'
import type { PeerId } from './peer-id.ts'
import type { Sequence } from './protocol.ts'
import type { RelativePath } from './relative-path.ts'

/** What this disk holds of one path: the entry as announced, and what the disk showed (rule 13). */
export interface IndexRecord {
  readonly entry: Entry
  /** Null for a tombstone, and for an entry whose file is not on the disk under this name (`leftover`). */
  readonly observation: Observation | null
  /** 0: not announced (a joining peer's own find, or receive-only). */
  readonly sequence: Sequence
}

/** The latest that one peer announced of one path (rule 16). */
export interface RemoteRecord {
  readonly peer: PeerId
  readonly sequence: Sequence
  readonly entry: Entry
}

/** A file moved out of the way of another, until the index says what became of it (rule 22). */
export interface Hold {
  /** The file's name below `.synd/hold/`. */
  readonly id: string
  readonly path: RelativePath
  /** What the index knew of it; null when nothing. */
  readonly expected: Observation | null
}
