import { describe, expect, test } from 'vitest'

import type { Entry } from '../../src/core/entry.ts'
import type { RemoteRecord } from '../../src/core/index-record.ts'
import { parseEpoch } from '../../src/core/peer-id.ts'
import { digest, directory, file, peer, symlink, tombstone } from '../core/build.ts'
import { extremeRecords } from './extreme-records.ts'
import { numbered, path, peerRecord, recordOf, shuffled, told } from './store-fixtures.ts'
import type { StoreSubject } from './store-subject.ts'

/** What a store keeps of other peers. */
export function testRemote(subject: StoreSubject): void {
  describe('what peers told', () => {
    test('rule 16: an announcement replaces what the same peer announced of the same path', () => {
      const [first, second, third] = [told('b', 'x', 5), told('b', 'x', 9), told('b', 'y', 6)]
      subject.store.commit({ remote: [first, third] })
      subject.store.commit({ remote: [second] })
      expect(subject.store.remote(path('x'))).toStrictEqual([second])
      expect(subject.store.remoteOf(peer('b'), path('x'))).toStrictEqual(second)
      expect(subject.store.remoteOf(peer('b'), path('y'))).toStrictEqual(third)
      expect(subject.store.remoteOf(peer('c'), path('x'))).toBeNull()
      expect(subject.store.remote(path('z'))).toEqual([])
    })

    test('all of it leaves at once, and what comes in the same transaction stays', () => {
      subject.store.commit({ remote: [told('b', 'x', 1), told('c', 'x', 1), told('b', 'y', 2)] })
      subject.store.commit({ isRemoteForgotten: true, remote: [told('c', 'z', 2)] })
      expect(subject.store.remote(path('x'))).toEqual([])
      expect(subject.store.remoteOf(peer('b'), path('y'))).toBeNull()
      expect(subject.store.remote(path('z'))).toHaveLength(1)
    })

    test('peers do not get into each other’s way', () => {
      const records = [told('d', 'x', 1), told('b', 'x', 2), told('c', 'x', 3)]
      subject.store.commit({ remote: records })
      const peers = () => subject.store.remote(path('x')).map((record) => record.peer)
      expect(peers()).toEqual([peer('b'), peer('c'), peer('d')])
      subject.reopen()
      expect(peers()).toEqual([peer('b'), peer('c'), peer('d')])
    })

    test('what one told before the index was opened stays beside what others tell after it', () => {
      const those = [told('b', 'x', 1), told('b', 'y', 2), told('c', 'y', 1)]
      for (const [index, record] of those.entries()) {
        subject.store.commit({ remote: [record] })
        subject.reopen()
        expect(subject.store.remote(record.entry.path)).toHaveLength(index < 2 ? 1 : 2)
        subject.reopen()
      }
      subject.store.commit({ remote: [told('c', 'x', 2)] })
      expect(subject.store.remote(path('x'))).toHaveLength(2)
      subject.store.commit({ remote: [told('b', 'z', 3)] })
      subject.store.commit({ remote: [told('c', 'z', 3)] })
      expect(subject.store.remote(path('z'))).toHaveLength(2)
    })

    test.each(extremeRecords())('$title comes back as it was told', ({ record: { entry } }) => {
      const record: RemoteRecord = { peer: peer('b'), sequence: 2 ** 53 - 1, entry }
      subject.store.commit({ remote: [record] })
      subject.reopen()
      expect(subject.store.remoteOf(peer('b'), entry.path)).toStrictEqual(record)
    })

    test('rule 16: it stays out of the index', () => {
      subject.store.commit({ remote: [told('b', 'd/x', 5)] })
      expect(subject.store.get(path('d/x'))).toBeNull()
      expect([...subject.store.all()]).toEqual([])
      expect(subject.store.lastSequence()).toBe(0)
      expect(subject.store.hasLiveBelow(path('d'))).toBe(false)
      expect(subject.store.findByDigest(digest(1), 1)).toEqual([])
    })

    const same = { path: 'x', version: 'b3 a1', by: 'b3' }
    test.each<[string, boolean, Entry | null, Entry]>([
      ['nothing of the path', true, null, file(same)],
      ['the same entry', false, file(same), file(same)],
      ['another version', true, file({ ...same, version: 'b3' }), file(same)],
      ['another content under the same version', true, file({ ...same, content: 2 }), file(same)],
      ['another kind under the same version', true, directory(same), file(same)],
      ['a tombstone under the same version', true, tombstone(same), file(same)],
      ['a link with the same digest', true, symlink(same), file(same)],
      ['a tombstone of a directory', true, tombstone(same), directory(same)],
      ['another mode under the same version', true, file({ ...same, mode: 0o600 }), file(same)],
      ['another mtime under the same version', true, file({ ...same, mtimeUs: 1 }), file(same)],
      ['another mode of a directory', true, directory({ ...same, mode: 0 }), directory(same)],
      ['another mtime of a directory', false, directory({ ...same, mtimeUs: 1 }), directory(same)],
      ['another mode of a link', true, symlink({ ...same, mode: 0 }), symlink(same)],
      ['another mtime of a link', true, symlink({ ...same, mtimeUs: 1 }), symlink(same)],
      ['another text of a link', true, symlink({ ...same, content: 2 }), symlink(same)],
      ['a delete by the same write', false, tombstone(same), tombstone(same)],
      ['another mode of a delete', true, tombstone({ ...same, mode: 0 }), tombstone(same)],
      ['another time of a delete', true, tombstone({ ...same, mtimeUs: 1 }), tombstone(same)],
      ['a delete of another content', true, tombstone({ ...same, content: 2 }), tombstone(same)],
      [
        'a delete of another kind',
        true,
        { ...tombstone(same), removedKind: 'symlink' },
        tombstone(same),
      ],
      [
        'a delete of no content',
        true,
        { ...tombstone(same), removedDigest: null },
        tombstone(same),
      ],
      ['a delete by another write', true, tombstone({ ...same, by: 'a1' }), tombstone(same)],
      [
        'another writer of the content',
        true,
        file({ ...same, by: 'a1', modeBy: 'b3' }),
        file(same),
      ],
      ['another writer of the mode', true, file({ ...same, modeBy: 'a1' }), file(same)],
      ['another writer of a directory', true, directory({ ...same, by: 'a1' }), directory(same)],
    ])('where the index holds %s it is unequal: %s', (_title, isUnequal, ours, theirs) => {
      const record: RemoteRecord = { peer: peer('b'), sequence: 1, entry: theirs }
      subject.store.commit({ records: ours === null ? [] : [recordOf(ours, 1)], remote: [record] })
      expect([...subject.store.unequalRemote()]).toStrictEqual(isUnequal ? [record] : [])
      expect([...subject.store.unequalRemoteOf(peer('b'))]).toStrictEqual(isUnequal ? [record] : [])
      expect([...subject.store.unequalRemoteOf(peer('c'))]).toEqual([])
    })

    test('what is unequal comes by path and peer, of one peer by sequence, also where there is a lot', () => {
      const names = numbered(1, 1300)
      const records = names.flatMap((name, n) => [
        told('b', name, 5000 - n),
        told('c', name, 7000 + n),
        told('d', name, 9000 + n),
      ])
      subject.store.commit({ remote: shuffled(records) })
      expect([...subject.store.unequalRemote()]).toStrictEqual(records)
      const ofB = records.filter((record) => record.peer === peer('b'))
      expect([...subject.store.unequalRemoteOf(peer('b'))]).toStrictEqual(ofB.toReversed())
    })

    test('what becomes equal while the unequal is read is not seen again, and nothing else is missed', () => {
      const names = numbered(1, 1300)
      subject.store.commit({ remote: names.map((name, n) => told('b', name, n + 1)) })
      const seen: string[] = []
      let sequence = 1
      for (const { entry } of subject.store.unequalRemote()) {
        seen.push(entry.path)
        subject.store.commit({ records: [recordOf(entry, sequence++)] })
      }
      expect(seen).toEqual(names)
      expect([...subject.store.unequalRemote()]).toEqual([])
    })

    test('what is kept of a peer is replaced by its id', () => {
      const [first, second] = [peerRecord('b', 5), peerRecord('c', 6)]
      subject.store.commit({ recorded: [second, first] })
      expect(subject.store.peers()).toStrictEqual([first, second])
      const later = { ...first, epoch: parseEpoch('9'.repeat(16)), sequence: 50, name: 'Ünïcode' }
      subject.store.commit({ recorded: [later] })
      expect(subject.store.peer(peer('b'))).toStrictEqual(later)
      expect(subject.store.peer(peer('d'))).toBeNull()
      subject.reopen()
      expect(subject.store.peers()).toStrictEqual([later, second])
    })
  })
}
