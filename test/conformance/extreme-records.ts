import type { IndexRecord } from '../../src/core/index-record.ts'
import { parsePeerId, type PeerId } from '../../src/core/peer-id.ts'
import { vectorOf } from '../../src/core/version-vector.ts'
import { directory, dot, file, symlink, tombstone, vector } from '../core/build.ts'
import { everyNameByte, observation, recordOf } from './store-fixtures.ts'

/** Records at the edges of what an index may hold, and one of every kind. */
export function extremeRecords(): { title: string; record: IndexRecord }[] {
  const everyByte = everyNameByte().join('')
  const extremePath = `${everyByte.slice(0, 128)}/${everyByte.slice(128)}`
  const large = 2 ** 53 - 1
  const shape = { version: 'a1 b2', by: 'b2', modeBy: 'a1' }
  const crowd = Array.from({ length: 256 }, (_, n) => ({ peer: peerOf(n), counter: large - n }))
  return [
    { title: 'a file', record: recordOf(file(shape), 1) },
    { title: 'a directory', record: recordOf(directory(shape), 1) },
    { title: 'a link', record: recordOf(symlink(shape), 1) },
    { title: 'a tombstone of a file', record: recordOf(tombstone(shape), 1) },
    {
      title: 'a tombstone of a directory',
      record: recordOf({ ...tombstone(shape), removedKind: 'directory', removedDigest: null }, 1),
    },
    {
      title: 'a path with every byte',
      record: recordOf(file({ ...shape, path: extremePath }), 1),
    },
    {
      title: 'a path of 4,095 bytes',
      record: recordOf(
        file({ ...shape, path: `${'d'.repeat(254)}/`.repeat(16) + 'e'.repeat(15) }),
        1,
      ),
    },
    {
      title: 'a link whose text has every byte',
      record: recordOf({ ...symlink(shape), target: `/${everyByte}` }, 1),
    },
    {
      title: 'a file with the largest numbers',
      record: {
        entry: {
          ...file({ ...shape, mode: 0o777, mtimeUs: large }),
          sizeBytes: large,
          version: vectorOf(...crowd),
        },
        observation: observation({
          mode: 0o7777,
          sizeBytes: large,
          // A time in 2500, and more than 64 bits have.
          mtimeNs: 16_725_225_600_000_000_000n,
          ctimeNs: 2n ** 63n,
          inode: 2n ** 64n - 1n,
          device: 2n ** 63n - 1n,
        }),
        sequence: large,
      },
    },
    {
      title: 'an empty file of before 1970 with no mode and the empty version',
      record: {
        entry: { ...file({ ...shape, mode: 0, mtimeUs: -large, version: '' }), sizeBytes: 0 },
        observation: observation({
          mode: 0,
          sizeBytes: 0,
          mtimeNs: -(2n ** 63n),
          ctimeNs: -1n,
          inode: 0n,
        }),
        sequence: 0,
      },
    },
    {
      title: 'an entry that is not on the disk',
      record: { entry: directory(shape), observation: null, sequence: 3 },
    },
    {
      title: 'an observation of another kind than the entry',
      record: { entry: file(shape), observation: observation({ kind: 'symlink' }), sequence: 3 },
    },
    {
      title: 'an entry with a metadata dot of its own',
      record: recordOf({ ...file(shape), version: vector('a1 b2 c3'), metadataDot: dot('c3') }, 1),
    },
  ]
}

function peerOf(n: number): PeerId {
  return parsePeerId(n.toString(16).padStart(16, '0'))
}
