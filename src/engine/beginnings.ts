import { SyndError } from '../core/errors.ts'
import type { SyncMode } from '../core/protocol.ts'
import type { Census } from './census.ts'
import type { Damage } from './damage.ts'
import type { FirstLook } from './first-look.ts'
import type { Joining } from './joining.ts'
import type { Ledger } from './ledger.ts'
import type { Links } from './links/links.ts'
import type { Peers } from './links/peers.ts'
import type { Clock, Observer, Store, Volume } from './ports.ts'
import type { HeldDeletes } from './publish/held-deletes.ts'
import type { Publisher } from './publish/publisher.ts'
import type { Self } from './self.ts'
import type { Serial } from './serial.ts'

export interface BeginningsParts {
  readonly self: Self
  readonly census: Census
  readonly firstLook: FirstLook
  readonly joining: Joining
  readonly ledger: Ledger
  readonly heldDeletes: HeldDeletes
  readonly mode: SyncMode
  readonly isDurable: boolean
  readonly isStateElsewhere: boolean
  readonly store: Store
  readonly clock: Clock
  readonly damage: Damage
  readonly publisher: Publisher
  readonly peers: Peers
  readonly links: Links
  readonly volume: Volume
  readonly serial: Serial
  readonly observer: Observer
}

/** What a life begins with and what ends by itself once everything was looked at: joining, and the repair of what a power loss damaged. */
export class Beginnings {
  readonly #parts: BeginningsParts

  constructor(parts: BeginningsParts) {
    this.#parts = parts
  }

  /** Before anything is looked at; `life`: how the one before ended. */
  begin(life: { readonly isPowerLoss: boolean; readonly isUnclean: boolean }): void {
    const { damage, store, clock, isDurable, isStateElsewhere } = this.#parts
    this.#dropUndecided()
    if (life.isPowerLoss) damage.suspectPowerLoss(store.all(), isDurable ? null : clock.nowMs())
    else if (life.isUnclean && isStateElsewhere) damage.suspectRollback()
  }

  /** Where the volume may have been put back to a while ago: everything was looked at, before anything of ours makes its directories look new (rule 20). */
  get isSeenThrough(): boolean {
    const { damage, publisher } = this.#parts
    return !damage.isRollbackSuspected || !publisher.isBusy
  }

  /** Whenever something happened: ends what is over. */
  async end(): Promise<void> {
    const { self, census, joining, damage, publisher, volume, serial, observer } = this.#parts
    this.#parts.firstLook.note(publisher)
    try {
      this.#parts.links.retryRenewal()
      if (!publisher.isFirstScanCommitted) return
      if (!self.isJoined) await serial.run(async () => volume.halt() === null && joining.end())
      if (census.unversioned.size > 0)
        await serial.run(async () => volume.halt() === null && joining.stampAbandoned())
      if (publisher.isBusy || !damage.end()) return
      volume.sweep()
      self.proveBoot()
    } catch (error) {
      // The index cannot be written now: later.
      if (!(error instanceof SyndError)) throw error
      observer.log('error', 'progress could not be recorded', { reason: error.message })
    }
  }

  /** Rule 14: what became visible is to be heard and found anew; in the serial loop. */
  rejoin(): void {
    const { self, joining, peers } = this.#parts
    self.rejoin()
    joining.begin()
    peers.startOver()
  }

  /** What another mode left undecided is a local change of a receive-only peer: found again by the first scan (rule M9). */
  #dropUndecided(): void {
    const { mode, heldDeletes, census, ledger } = this.#parts
    if (mode !== 'receive-only') return
    heldDeletes.release(heldDeletes.all())
    if (census.unversioned.size > 0) ledger.forget([...census.unversioned])
  }
}
