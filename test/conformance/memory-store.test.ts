import { expect, test } from 'vitest'

import { peer } from '../core/build.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { live, path, peerRecord, renewed, told } from './store-fixtures.ts'
import { contentOf } from './store-subject.ts'

test('a clone and its original go separate ways', () => {
  const original = new MemoryStore({ peerId: peer('a') })
  original.commit({ records: [live('a', 1)], remote: [told('b', 'a', 1)], lastCounter: 1 })
  original.recordHolds([{ id: '1', path: path('a'), expected: null }])
  const clone = original.clone()
  const secondClone = clone.clone()
  const before = contentOf(original)
  expect(contentOf(clone)).toStrictEqual(before)

  clone.recordHolds([{ id: '2', path: path('a'), expected: null }])
  expect(contentOf(original)).toStrictEqual(before)
  original.commit({
    records: [live('b', 2)],
    forgotten: [path('a')],
    remote: [told('b', 'a', 9), told('c', 'a', 1)],
    recorded: [peerRecord('b', 1)],
    releasedHolds: ['1'],
    heldDeletes: { added: [path('h')] },
    identity: renewed({ epochs: 1 }),
    lastCounter: 9,
  })
  expect(clone.holds().map((hold) => hold.id)).toEqual(['1', '2'])
  expect(contentOf(secondClone)).toStrictEqual(before)
  expect(secondClone.remote(path('a'))).toStrictEqual([told('b', 'a', 1)])
})
