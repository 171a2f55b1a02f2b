import type { Entry } from './entry.ts'
import type { Epoch, PeerId } from './peer-id.ts'

/** Position in one peer's index: whole, from 1, unique to one committed entry; a path that changes moves to a new one. */
export type Sequence = number

/** The protocol versions this program speaks. */
export const protocolVersions: readonly number[] = [1]

export const syncModes = ['send-receive', 'send-only', 'receive-only'] as const
export type SyncMode = (typeof syncModes)[number]

/** How far a peer's index is recorded at another: resume starts after `sequence`. */
export interface Recorded {
  readonly peerId: PeerId
  readonly epoch: Epoch
  readonly sequence: Sequence
}

/** What a peer says of itself, in both directions. */
export interface Hello {
  readonly protocolVersions: readonly number[]
  readonly peerId: PeerId
  readonly epoch: Epoch
  readonly name: string
  readonly mode: SyncMode
  /** True until the peer has joined (rule 9). */
  readonly joining: boolean
  /** What the speaker has recorded of the peers it knows; at most 256. */
  readonly recorded: readonly Recorded[]
  /** Where files are pulled from. */
  readonly source: SourceOffer
}

export interface HelloAnswer extends Hello {
  /** Whether the answerer dials the caller too; `unknown` while some of its peers have not answered yet. */
  readonly listsCaller: 'yes' | 'no' | 'unknown'
}

/** Where a peer's files are pulled from. Of the embedded server only the port is believed (SECURITY.md, What protects the network). */
export type SourceOffer =
  | { readonly kind: 'embedded'; readonly port: number }
  | {
      readonly kind: 'openssh'
      readonly host: string
      readonly port: number
      readonly user: string
      /** Absolute path of the volume there. */
      readonly root: string
    }
  | { readonly kind: 'none' }

export interface SequencedEntry {
  readonly sequence: Sequence
  readonly entry: Entry
}

/** A batch of one peer's index in order of sequence; everything up to `upTo` is told with it, also what was left out as known. */
export interface Announcement {
  readonly entries: readonly SequencedEntry[]
  readonly upTo: Sequence
  /** The speaker's last sequence when it sent this; more is to come while `upTo` is less. */
  readonly head: Sequence
  /** Only on what was received: entries that were malformed and left out, to be acknowledged as refused. */
  readonly refused?: readonly RefusedEntry[]
}

export interface RefusedEntry {
  readonly sequence: Sequence
  readonly code: string
}

/** At most this many entries, and 1 MiB, an announcement. */
export const maxAnnouncementEntries = 1000
export const maxAnnouncementBytes = 1024 * 1024

/** What became of announced sequences (rule 17). */
export type Outcome =
  | { readonly kind: 'applied' }
  | { readonly kind: 'not-wanted' }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'refused'; readonly code: string }

/** `from` to `to`, both included. */
export interface OutcomeRange {
  readonly from: Sequence
  readonly to: Sequence
  readonly outcome: Outcome
}

/** What the receiver of announcements says back on the same stream. */
export type Reply =
  | {
      readonly kind: 'acknowledgement'
      readonly recordedUpTo: Sequence
      readonly ranges: readonly OutcomeRange[]
    }
  /** The speaker's own index is at `sequence` and it has nothing unfinished (rule 18). */
  | { readonly kind: 'settled'; readonly sequence: Sequence }
  /** The speaker's mode keeps so many paths apart: until it says 0 it is not in sync (rule M8). */
  | { readonly kind: 'diverged'; readonly paths: number }
