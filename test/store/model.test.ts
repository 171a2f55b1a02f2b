import * as fc from 'fast-check'
import { test, expect } from 'vitest'

import { parseRelativePath } from '../../src/core/relative-path.ts'
import type { Store, Transaction } from '../../src/engine/ports.ts'
import { numbered, observation } from '../conformance/store-fixtures.ts'
import { contentOf } from '../conformance/store-subject.ts'
import { anyEntry } from '../core/arbitraries.ts'
import { digest, peer } from '../core/build.ts'
import { check } from '../core/property.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { temporaryIndex } from './temporary-index.ts'

/** Few, and near each other, so that they meet. */
const paths = ['a', 'a/b', 'a/b/c', 'a/b0', 'a0', 'a/\xff', 'b'].map(parseRelativePath)
const peers = ['b', 'c'].map(peer)

const anyPath = fc.constantFrom(...paths)
const fewPaths = fc.array(anyPath, { maxLength: 2 })
const anyEntryAnywhere = fc.tuple(anyEntry, anyPath).map(([entry, path]) => ({ ...entry, path }))

/** One transaction; `at` numbers it, so that sequences are never used twice. */
const anyStep = fc.record({
  records: fc.array(
    fc.record({ entry: anyEntryAnywhere, isAnnounced: fc.boolean(), isSeen: fc.boolean() }),
    { maxLength: 4 },
  ),
  remote: fc.array(fc.record({ entry: anyEntryAnywhere, peer: fc.constantFrom(...peers) }), {
    maxLength: 4,
  }),
  forgotten: fewPaths,
  added: fewPaths,
  removed: fewPaths,
  lastCounter: fc.integer({ min: 1, max: 9 }),
  isReopened: fc.boolean(),
})

test('whatever is committed, SQLite and memory answer alike', () => {
  check(
    fc.property(fc.array(anyStep, { minLength: 1, maxLength: 8 }), (steps) => {
      using index = temporaryIndex()
      const memory = new MemoryStore({ peerId: peer('a') })
      let store = index.open({ durability: 'none' }).store
      try {
        for (const [at, step] of steps.entries()) {
          const transaction = transactionOf(step, at)
          memory.commit(transaction)
          store.commit(transaction)
          if (step.isReopened) {
            store.close()
            store = index.open({ durability: 'none' }).store
          }
          expect(answersOf(store)).toStrictEqual(answersOf(memory))
        }
      } finally {
        store.close()
      }
    }),
    { runs: 60 },
  )
})

type Step = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never

function transactionOf(step: Step, at: number): Transaction {
  return {
    records: step.records.map(({ entry, isAnnounced, isSeen }, n) => ({
      entry,
      observation: isSeen ? observation({ inode: BigInt(n) }) : null,
      sequence: isAnnounced ? at * 10 + n + 1 : 0,
    })),
    remote: step.remote.map(({ entry, peer }, n) => ({ entry, peer, sequence: at * 10 + n + 1 })),
    forgotten: step.forgotten,
    heldDeletes: { added: step.added, removed: step.removed },
    lastCounter: step.lastCounter,
  }
}

function answersOf(store: Store) {
  return {
    ...contentOf(store),
    children: [null, ...paths].map((path) => store.children(path)),
    hasLiveBelow: paths.map((path) => store.hasLiveBelow(path)),
    get: paths.map((path) => store.get(path)),
    remote: paths.map((path) => store.remote(path)),
    remoteOf: peers.flatMap((peer) => paths.map((path) => store.remoteOf(peer, path))),
    unequalRemoteOf: peers.map((peer) => [...store.unequalRemoteOf(peer)]),
    changes: numbered(1, 30).map((_, sequence) => store.changesAfter(sequence, 3)),
    found: [1, 2, 3].map((content) => store.findByDigest(digest(content), 99).toSorted()),
  }
}
