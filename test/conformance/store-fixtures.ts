import type { Entry } from '../../src/core/entry.ts'
import type { IndexRecord, RemoteRecord } from '../../src/core/index-record.ts'
import type { Observation } from '../../src/core/observation.ts'
import { parseEpoch } from '../../src/core/peer-id.ts'
import { parseRelativePath, type RelativePath } from '../../src/core/relative-path.ts'
import type { Identity, PeerRecord } from '../../src/engine/ports.ts'
import { file, peer, tombstone } from '../core/build.ts'

export function path(text: string): RelativePath {
  return parseRelativePath(text)
}

export function recordOf(entry: Entry, sequence: number): IndexRecord {
  return {
    entry,
    observation: entry.kind === 'tombstone' ? null : observation({ kind: entry.kind }),
    sequence,
  }
}

export function live(name: string, sequence: number): IndexRecord {
  return recordOf(file({ path: name, version: 'a1', by: 'a1' }), sequence)
}

export function dead(name: string, sequence: number): IndexRecord {
  return recordOf(tombstone({ path: name, version: 'a2', by: 'a2' }), sequence)
}

export function told(letter: string, name: string, sequence: number): RemoteRecord {
  const entry = file({ path: name, version: `${letter}${sequence}`, by: `${letter}${sequence}` })
  return { peer: peer(letter), sequence, entry }
}

export function peerRecord(letter: string, sequence: number): PeerRecord {
  return {
    peerId: peer(letter),
    epoch: parseEpoch('0'.repeat(16)),
    sequence,
    key: 'fingerprint',
    name: `host ${letter}`,
  }
}

export function renewed({ epochs }: { readonly epochs: number }): Identity {
  return {
    peerId: peer('e'),
    epochs: Array.from({ length: epochs }, (_, n) => ({
      epoch: parseEpoch((n + 1).toString(16).padStart(16, '0')),
      lastSequence: n,
    })),
    isJoined: true,
    volumeMark: '123/456',
    bootId: '00000000-1111-2222-3333-444444444444',
    isClean: false,
  }
}

export function observation(parts: Partial<Observation> = {}): Observation {
  return {
    kind: 'file',
    mode: 0o644,
    mtimeNs: 1_700_000_000_123_456_789n,
    ctimeNs: 1_700_000_000_987_654_321n,
    sizeBytes: 10,
    inode: 42n,
    device: 2049n,
    ...parts,
  }
}

/** Every byte that may be in a name, as latin1. */
export function everyNameByte(): string[] {
  const codes = Array.from({ length: 255 }, (_, n) => n + 1)
  return codes.map((code) => String.fromCharCode(code)).filter((char) => char !== '/')
}

/** `f00001`, … */
export function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, n) => `f${String(from + n).padStart(5, '0')}`)
}

export function byBytes(paths: readonly string[]): string[] {
  return paths.toSorted((a, b) =>
    Buffer.compare(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')),
  )
}

/** Another order than the sorted one, the same at every run. */
export function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item, n) => ({ item, rank: (n * 7919) % 10_007 }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}
