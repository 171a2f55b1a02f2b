import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openStore } from '../../src/store/open-store.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { storeSuite } from './store-suite.ts'

storeSuite('SqliteStore', () => {
  const directory = mkdtempSync(join(tmpdir(), 'synd-store-'))
  return {
    open: (newPeerId) =>
      openStore({
        path: join(directory, 'state', 'index.sqlite'),
        durability: 'none',
        newPeerId: () => newPeerId,
        nowMs: () => 0,
      }).store,
    dispose: () => rmSync(directory, { recursive: true }),
  }
})

storeSuite('MemoryStore', () => {
  let last: MemoryStore | null = null
  return {
    open: (peerId) => (last = last?.clone() ?? new MemoryStore({ peerId })),
    dispose: () => {},
  }
})
