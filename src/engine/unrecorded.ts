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

/** So many files that were let go may still be there: who removes faster than the disk can waits for it. */
const maxReleasing = 8_192

/**
 * What is on the disk and not in the index yet. Where the index cannot be written it stays here, and is recorded before anything else is: what is
 * decided or announced meanwhile would take it for a change that was made here.
 */
export class Unrecorded {
  readonly #volume: Pick<Volume, 'halt' | 'syncDirectories' | 'releaseHolds'>
  readonly #ledger: Ledger
  readonly #heldDeletes: HeldDeletes
  readonly #dirty: DirtyPaths
  readonly #clock: Clock
  #made: readonly Made[] = []
  /** Holds that were let go, one commit after the other; their files are being removed while more is made. */
  readonly #releases: Promise<void>[] = []
  /** How many files these are. */
  #releasing = 0
  /** Of these those that are gone, which the next commit says. */
  #unlinked: readonly string[] = []

  constructor(parts: {
    volume: Pick<Volume, 'halt' | 'syncDirectories' | 'releaseHolds'>
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
  async released(): Promise<void> {
    await this.#releases.at(-1)
  }

  async #recordAll({ isLate }: { isLate: boolean }): Promise<void> {
    await this.#volume.syncDirectories()
    for (const made of this.#made) {
      while (this.#releasing >= maxReleasing) await this.#releases[0]
      demandVolume(this.#volume)
      this.#commit(made)
      if (isLate) this.#lookAgain(made.puts.map(({ entry }) => entry.path))
    }
  }

  #commit(made: Made): void {
    const { puts, holds } = made
    const decided = this.#heldDeletes.decidedBy(puts)
    this.#ledger.commit(puts, {
      releasedHolds: holds,
      unlinkedHolds: this.#unlinked,
      heldDeletes: { removed: decided },
    })
    this.#unlinked = []
    this.#made = this.#made.filter((other) => other !== made)
    this.#release(holds)
    this.#heldDeletes.forget(decided)
  }

  #release(holds: readonly string[]): void {
    if (holds.length === 0) return
    const release = this.#unlink(holds, this.#releases.at(-1))
    this.#releases.push(release)
    this.#releasing += holds.length
    // Who waits for it is told.
    void release.catch(() => undefined)
  }

  async #unlink(holds: readonly string[], before: Promise<void> | undefined): Promise<void> {
    await before
    await this.#volume.releaseHolds(holds)
    this.#unlinked = [...this.#unlinked, ...holds]
    void this.#releases.shift()
    this.#releasing -= holds.length
  }

  /** Somebody may have changed it since, and was seen when the index did not know it. */
  #lookAgain(paths: readonly RelativePath[]): void {
    for (const path of paths) this.#dirty.add(path, this.#clock.monotonicMs())
    this.#dirty.wake.call()
  }
}
