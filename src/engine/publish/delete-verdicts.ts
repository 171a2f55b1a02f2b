import type { Ledger } from '../ledger.ts'
import type { Store } from '../ports.ts'
import type { Inbox } from '../pull/inbox.ts'
import type { Serial } from '../serial.ts'
import type { HeldDeletes } from './held-deletes.ts'
import type { Publisher } from './publisher.ts'

/** What people decide about held deletes (rule 19): `synd approve` and `synd reject`. */
export class DeleteVerdicts {
  readonly #store: Store
  readonly #serial: Serial
  readonly #ledger: Ledger
  readonly #inbox: Inbox
  readonly #publisher: Publisher
  readonly #heldDeletes: HeldDeletes

  constructor(parts: {
    store: Store
    serial: Serial
    ledger: Ledger
    inbox: Inbox
    publisher: Publisher
    heldDeletes: HeldDeletes
  }) {
    this.#store = parts.store
    this.#serial = parts.serial
    this.#ledger = parts.ledger
    this.#inbox = parts.inbox
    this.#publisher = parts.publisher
    this.#heldDeletes = parts.heldDeletes
  }

  /** Lets the held deletes go; returns how many. */
  async approve(): Promise<number> {
    return this.#serial.run(async () => {
      const paths = this.#heldDeletes.all()
      this.#publisher.stampHeld(paths)
      this.#heldDeletes.release(paths)
      return paths.length
    })
  }

  /** Takes the entries back from the peers; returns how many. */
  async reject(): Promise<number> {
    return this.#serial.run(async () => {
      const paths = this.#heldDeletes.all()
      const puts = paths
        .map((path) => this.#store.get(path))
        .filter((record) => record !== null)
        .map(({ entry }) => ({ entry, observation: null, isAnnounced: false, seenMs: null }))
      this.#ledger.commit(puts, { heldDeletes: { removed: paths } })
      this.#heldDeletes.forget(paths)
      for (const path of paths) this.#inbox.add(path)
      return paths.length
    })
  }
}
