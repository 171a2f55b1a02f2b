import { afterEach, beforeEach, describe } from 'vitest'

import type { Store } from '../../src/engine/ports.ts'
import { peer } from '../core/build.ts'
import { testIndex } from './store-index.ts'
import { testRemote } from './store-remote.ts'
import type { StoreHarness } from './store-subject.ts'
import { testTransactions } from './store-transactions.ts'

/** What every Store does (src/engine/ports.ts); both the one on SQLite and the one of the simulation pass. */
export function storeSuite(name: string, makeHarness: () => StoreHarness): void {
  describe(name, () => {
    let harness: StoreHarness
    let store: Store

    beforeEach(() => {
      harness = makeHarness()
      store = harness.open(peer('a'))
    })
    afterEach(() => {
      store.close()
      harness.dispose()
    })

    const subject = {
      get store() {
        return store
      },
      reopen: () => {
        store.close()
        store = harness.open(peer('f'))
      },
    }
    testIndex(subject)
    testRemote(subject)
    testTransactions(subject)
  })
}
