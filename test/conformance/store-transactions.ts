import { describe, expect, test } from 'vitest'

import { peer } from '../core/build.ts'
import { live, observation, path, peerRecord, renewed, told } from './store-fixtures.ts'
import { contentOf, type StoreSubject } from './store-subject.ts'

/** Who the index is, what waits, and that a transaction is all or nothing. */
export function testTransactions(subject: StoreSubject): void {
  test('rule 1: a new index has the id drawn for it, is joining and holds nothing', () => {
    expect(subject.store.identity()).toEqual({
      peerId: peer('a'),
      epochs: [],
      isJoined: false,
      volumeMark: null,
      bootId: null,
      isClean: true,
    })
    expect(subject.store.lastCounter()).toBe(0)
    expect(subject.store.lastSequence()).toBe(0)
    expect([...subject.store.all()]).toEqual([])
    expect(subject.store.children(null)).toEqual([])
    expect(subject.store.changesAfter(0, 10)).toEqual([])
    expect([...subject.store.unequalRemote()]).toEqual([])
    expect(subject.store.peers()).toEqual([])
    expect(subject.store.holds()).toEqual([])
    expect(subject.store.heldDeletes()).toEqual([])
  })

  describe('holds', () => {
    test('rule 22: a hold is kept from the moment it is recorded until it is released', () => {
      const expected = observation({ inode: 2n ** 63n - 1n })
      const holds = [
        { id: '1', path: path('d/\xfe'), expected },
        { id: '2', path: path('x'), expected: null },
      ]
      subject.store.recordHolds(holds.toReversed())
      expect(subject.store.holds()).toStrictEqual(holds)
      subject.reopen()
      expect(subject.store.holds()).toStrictEqual(holds)
      subject.store.commit({ releasedHolds: ['1', 'never-there'] })
      expect(subject.store.holds()).toStrictEqual(holds.slice(1))
    })

    test('what was released is known until it is known to be gone', () => {
      expect(subject.store.releasedHolds()).toEqual([])
      subject.store.commit({ releasedHolds: ['2', '1'] })
      subject.store.commit({ lastCounter: 1 })
      subject.reopen()
      expect(subject.store.releasedHolds()).toEqual(['1', '2'])
      subject.store.commit({ releasedHolds: ['3', '2'], unlinkedHolds: ['1', 'never-there'] })
      expect(subject.store.releasedHolds()).toEqual(['2', '3'])
      subject.store.commit({ releasedHolds: ['3'], unlinkedHolds: ['2', '3'] })
      subject.reopen()
      expect(subject.store.releasedHolds()).toEqual(['3'])
    })

    test('a hold recorded again under its id is the later one', () => {
      subject.store.recordHolds([{ id: '1', path: path('x'), expected: null }])
      subject.store.recordHolds([{ id: '1', path: path('y'), expected: null }])
      expect(subject.store.holds().map((hold) => hold.path)).toEqual(['y'])
    })
  })

  test('held deletes come and go, in the order of bytes, and adding comes last', () => {
    subject.store.commit({
      heldDeletes: { added: [path('b'), path('a/\xff'), path('a'), path('b')] },
    })
    expect(subject.store.heldDeletes()).toEqual(['a', 'a/\xff', 'b'])
    subject.store.commit({
      heldDeletes: { removed: [path('a'), path('b'), path('c')], added: [path('b')] },
    })
    expect(subject.store.heldDeletes()).toEqual(['a/\xff', 'b'])
    subject.reopen()
    expect(subject.store.heldDeletes()).toEqual(['a/\xff', 'b'])
  })

  describe('identity', () => {
    test('it is kept as it was committed', () => {
      const identity = renewed({ epochs: 3 })
      subject.store.commit({ identity })
      expect(subject.store.identity()).toStrictEqual(identity)
      subject.store.commit({ records: [live('a', 1)] })
      subject.reopen()
      expect(subject.store.identity()).toStrictEqual(identity)
    })

    test('only the 1,000 latest epochs are kept', () => {
      const identity = renewed({ epochs: 1003 })
      subject.store.commit({ identity })
      expect(subject.store.identity().epochs).toStrictEqual(identity.epochs.slice(3))
      subject.reopen()
      expect(subject.store.identity().epochs).toStrictEqual(identity.epochs.slice(3))
    })
  })

  test('a transaction that fails leaves everything as it was, and the next one works', () => {
    subject.store.commit({
      records: [live('a', 1), live('b', 2)],
      recorded: [peerRecord('b', 1)],
      heldDeletes: { added: [path('h')] },
      identity: renewed({ epochs: 1 }),
      lastCounter: 10,
    })
    subject.store.recordHolds([{ id: '1', path: path('x'), expected: null }])
    const before = contentOf(subject.store)
    expect(() =>
      subject.store.commit({
        forgotten: [path('a')],
        remote: [told('b', 'x', 1)],
        recorded: [peerRecord('b', 99), peerRecord('c', 1)],
        releasedHolds: ['1'],
        heldDeletes: { added: [path('i')], removed: [path('h')] },
        identity: renewed({ epochs: 2 }),
        lastCounter: 20,
        // A sequence is unique to one entry: this is a bug of the caller.
        records: [live('c', 30), live('d', 2)],
      }),
    ).toThrow()
    expect(contentOf(subject.store)).toStrictEqual(before)
    subject.store.commit({ records: [live('c', 3)] })
    subject.reopen()
    expect(contentOf(subject.store)).toStrictEqual({
      ...before,
      records: [...before.records, live('c', 3)],
      changes: [...before.changes, 'c'],
      lastSequence: 3,
    })
  })

  test('an empty transaction changes nothing', () => {
    subject.store.commit({ records: [live('a', 1)], lastCounter: 10 })
    const before = contentOf(subject.store)
    subject.store.commit({})
    subject.store.commit({ records: [], forgotten: [], remote: [], heldDeletes: {} })
    expect(contentOf(subject.store)).toStrictEqual(before)
  })
}
