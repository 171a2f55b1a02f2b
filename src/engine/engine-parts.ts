import type { Sha256 } from '../core/digest.ts'
import type { SourceOffer, SyncMode } from '../core/protocol.ts'
import type { Chance, Clock, Network, Observer, Store, Transfer, Volume, Watcher } from './ports.ts'

/** What an engine is made of and told. */
export interface EngineParts {
  readonly store: Store
  readonly volume: Volume
  readonly watcher: Watcher
  readonly network: Network
  readonly transfer: Transfer
  readonly clock: Clock
  readonly chance: Chance
  readonly observer: Observer
  readonly sha256: Sha256
  readonly settings: {
    readonly name: string
    readonly version: string
    readonly mode: SyncMode
    readonly volumePath: string
    /** A commit is on the disk when it returns. */
    readonly isDurable: boolean
    /** The index is not on the disk that the volume is on. */
    readonly isStateElsewhere: boolean
    readonly hasPeers: boolean
    readonly scanIntervalMs: number
    /** Share of the entries, 0 to 1; null: off. */
    readonly deleteBrake: number | null
  }
  /** Inode and birth time of `.synd/volume-id`. */
  readonly volumeMark: string
  readonly bootId: string
  readonly source: () => SourceOffer
  readonly isAuthorized: (key: string) => boolean
}
