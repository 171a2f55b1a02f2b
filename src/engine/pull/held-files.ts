import { contentDigest } from '../../core/entry.ts'
import { SyndError } from '../../core/errors.ts'
import type { Hold } from '../../core/index-record.ts'
import type { Copies } from './copies.ts'
import type { Ledger } from '../ledger.ts'
import { Overlay } from './overlay.ts'
import type { Observer, Store, Volume } from '../ports.ts'

interface HeldFilesParts {
  readonly store: Store
  readonly volume: Pick<Volume, 'halt' | 'stageFromHold' | 'syncDirectories' | 'releaseHolds'>
  readonly copies: Pick<Copies, 'ofHold'>
  readonly ledger: Ledger
  readonly observer: Observer
}

/**
 * What a crash left in `.synd/hold` (rule 22): a file whose content is no known version of its path becomes the conflict copy of that path;
 * only then is it swept. Where no copy can be made now (its directory is gone, the disk is full) it stays, and gets its copy after a later scan.
 */
export class HeldFiles {
  readonly #parts: HeldFilesParts
  #left: readonly Hold[] = []

  constructor(parts: HeldFilesParts) {
    this.#parts = parts
  }

  /** At the start, before anything else is put into hold. What had been let go already goes. */
  async begin(): Promise<void> {
    const { store, volume, observer } = this.#parts
    const released = store.releasedHolds()
    await volume.releaseHolds(released)
    this.#left = store.holds()
    await this.#resolve(released)
    for (const { id } of this.#left)
      observer.log(
        'error',
        'a replaced file is kept in .synd/hold: no conflict copy could be made of it yet',
        { hold: id },
      )
  }

  /** Tries what is left; in the serial loop. */
  async tryAgain(): Promise<void> {
    if (this.#left.length > 0) await this.#resolve([])
  }

  async #resolve(unlinked: readonly string[]): Promise<void> {
    const { store, volume, ledger } = this.#parts
    const overlay = new Overlay({ store })
    const resolved = new Set<string>()
    for (const hold of this.#left) {
      if (await this.#isResolved(hold, overlay)) resolved.add(hold.id)
    }
    await volume.syncDirectories()
    // A volume that went meanwhile shows everything absent, what is held too (rule 20).
    if (volume.halt() !== null) return
    ledger.commit(overlay.take(), { releasedHolds: [...resolved], unlinkedHolds: unlinked })
    this.#left = this.#left.filter(({ id }) => !resolved.has(id))
    await volume.releaseHolds([...resolved])
  }

  async #isResolved({ id, path }: Hold, overlay: Overlay): Promise<boolean> {
    const { store, volume, copies } = this.#parts
    try {
      const held = await volume.stageFromHold(id)
      if (held === null) return true
      await held.stage.discard()
      const known = store.get(path)?.entry ?? null
      const versions = [known, ...store.remote(path).map(({ entry }) => entry)]
      const isKnown = versions.some(
        (entry) => entry !== null && contentDigest(entry) === held.digest,
      )
      return isKnown || (await copies.ofHold(id, { path, known }, overlay))
    } catch (error) {
      if (error instanceof SyndError) return false
      throw error
    }
  }
}
