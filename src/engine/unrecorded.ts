import type { RelativePath } from '../core/relative-path.ts'
import { demandVolume } from './demand-volume.ts'
import type { Ledger, Put } from './ledger.ts'
import type { Clock, Volume } from './ports.ts'
import type { DirtyPaths } from './publish/dirty-paths.ts'
import type { HeldDeletes } from './publish/held-deletes.ts'

/** Changes that were made on the disk together. */
interface Made {
  readonly puts: readonly Put[]
  /** The holds that can be let go when they are recorded. */
  readonly holds: readonly string[]
}

/**
 * What is on the disk and not in the index yet. Where the index cannot be written it stays here, and is recorded before anything else is: what is
 * decided or announced meanwhile would take it for a change that was made here.
 */
export class Unrecorded {
  readonly #volume: Volume
  readonly #ledger: Ledger
  readonly #heldDeletes: HeldDeletes
  readonly #dirty: DirtyPaths
  readonly #clock: Clock
  #made: readonly Made[] = []
  /** The holds of what was recorded last are let go, while the next is made. */
  #releasing: Promise<void> = Promise.resolve()

  constructor(parts: {
    volume: Volume
    ledger: Ledger
    heldDeletes: HeldDeletes
    dirty: DirtyPaths
    clock: Clock
  }) {
    this.#volume = parts.volume
    this.#ledger = parts.ledger
    this.#heldDeletes = parts.heldDeletes
    this.#dirty = parts.dirty
    this.#clock = parts.clock
  }

  /** Records it, after what is left of before; in the serial loop. Throws a SyndError, and keeps it, when that cannot be done now. */
  async record(made: Made): Promise<void> {
    const isLate = this.#made.length > 0
    this.#made = [...this.#made, made]
    await this.#recordAll({ isLate })
  }

  /** Records what is left of before; in the serial loop. Throws as `record`; a peer that is halted records nothing. */
  async settle(): Promise<void> {
    if (this.#made.length > 0 && this.#volume.halt() === null)
      await this.#recordAll({ isLate: true })
  }

  /** Resolves when all holds that were let go are gone. */
  released(): Promise<void> {
    return this.#releasing
  }

  async #recordAll({ isLate }: { isLate: boolean }): Promise<void> {
    await this.#volume.syncDirectories()
    for (const made of this.#made) {
      // The index keeps the ids of the last holds that were let go, no others.
      await this.#releasing
      demandVolume(this.#volume)
      this.#commit(made)
      if (isLate) this.#lookAgain(made.puts.map(({ entry }) => entry.path))
    }
  }

  #commit(made: Made): void {
    const { puts, holds } = made
    const decided = this.#heldDeletes.decidedBy(puts)
    this.#ledger.commit(puts, { releasedHolds: holds, heldDeletes: { removed: decided } })
    this.#made = this.#made.filter((other) => other !== made)
    this.#release(holds)
    this.#heldDeletes.forget(decided)
  }

  #release(holds: readonly string[]): void {
    this.#releasing = this.#volume.releaseHolds(holds)
    // Who records next is told of it.
    void this.#releasing.catch(() => undefined)
  }

  /** Somebody may have changed it since, and was seen when the index did not know it. */
  #lookAgain(paths: readonly RelativePath[]): void {
    for (const path of paths) this.#dirty.add(path, this.#clock.monotonicMs())
    this.#dirty.wake.call()
  }
}
