import type { Hold } from '../../src/core/index-record.ts'
import type { Transaction } from '../../src/engine/ports.ts'
import {
  live,
  numbered,
  observation,
  path,
  peerRecord,
  renewed,
  told,
} from '../conformance/store-fixtures.ts'

/** Rows of one generation in each of the tables. */
export const generationRows = 40

/** The transaction that brings every table from any earlier generation to the `n`th. */
export function generation(n: number): Transaction {
  const names = numbered(1, generationRows)
  return {
    records: names.map((name, i) => live(name, n * generationRows + i)),
    remote: names.map((name) => told('b', name, n)),
    recorded: [{ ...peerRecord('b', n) }],
    releasedHolds: [holdOf(n - 1).id],
    unlinkedHolds: [holdOf(n - 2).id],
    heldDeletes: { added: [path(`held-${n}`)], removed: [path(`held-${n - 1}`)] },
    identity: { ...renewed({ epochs: 1 }), volumeMark: String(n) },
    lastCounter: n,
  }
}

/** Recorded before the generation is committed. */
export function holdOf(n: number): Hold {
  return { id: String(n), path: path(`hold-${n}`), expected: observation({ sizeBytes: n }) }
}
