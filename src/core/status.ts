import type { ProblemCode } from './problem.ts'

export type VolumeState = 'starting' | 'scanning' | 'idle' | 'syncing' | 'halted'

/** What a peer says of itself: the JSON of `/status` (README, Monitoring), times as ISO 8601 in UTC or null for never, paths as text. */
export interface Status {
  readonly peer: { readonly id: string; readonly name: string }
  readonly version: string
  readonly mode: string
  readonly volume: {
    readonly path: string
    readonly state: VolumeState
    readonly haltedBecause: string | null
    readonly files: number
    readonly directories: number
    readonly symlinks: number
    readonly bytes: number
    readonly ignored: number
    readonly tombstones: number
    readonly heldDeletes: number
    /** Paths that the mode keeps apart: not taken from others (send-only), or changed here (receive-only). */
    readonly diverged: number
    readonly treeDigest: string
  }
  readonly inSync: boolean
  /** True once the first scan is done (readyz). */
  readonly isScanned: boolean
  /** True once `/startupz` may answer 200. */
  readonly isStarted: boolean
  readonly peers: readonly PeerStatus[]
  readonly problems: readonly ProblemStatus[]
  /** Paths of conflict copies that are in the volume now. */
  readonly conflicts: readonly string[]
}

export interface PeerStatus {
  /** Null until it answered once. */
  readonly id: string | null
  readonly name: string | null
  /** As configured, or as DNS gave it: `host:port`; the label `peer` of metrics. */
  readonly address: string
  readonly connected: boolean
  readonly inSync: boolean
  readonly pendingChanges: number
  /** Paths that its mode keeps apart, as it last said. */
  readonly diverged: number
  readonly oldestPendingTimestamp: string | null
  readonly lastSyncTimestamp: string | null
  /** Why it is not connected, in words; null while it is. */
  readonly lastError: string | null
}

export interface ProblemStatus {
  /** Null for what concerns a peer or the volume as a whole. */
  readonly path: string | null
  readonly code: ProblemCode
  readonly message: string
  readonly since: string
}
