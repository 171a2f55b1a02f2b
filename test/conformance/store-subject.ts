import type { PeerId } from '../../src/core/peer-id.ts'
import type { Store } from '../../src/engine/ports.ts'

/** One index: `open` makes it at first and comes back to it later, when the store before was closed. */
export interface StoreHarness {
  open(newPeerId: PeerId): Store
  dispose(): void
}

/** The store that a test looks at; after `reopen` another on the same index. */
export interface StoreSubject {
  readonly store: Store
  reopen(): void
}

/** Everything that a store holds. */
export function contentOf(store: Store) {
  return {
    records: [...store.all()],
    changes: store.changesAfter(0, 1_000_000).map(({ entry }) => entry.path),
    unequalRemote: [...store.unequalRemote()],
    peers: store.peers(),
    holds: store.holds(),
    releasedHolds: store.releasedHolds(),
    heldDeletes: store.heldDeletes(),
    identity: store.identity(),
    lastCounter: store.lastCounter(),
    lastSequence: store.lastSequence(),
  }
}
