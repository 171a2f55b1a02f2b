import type { DatabaseSync } from 'node:sqlite'

import { parseEpoch, parsePeerId, type PeerId } from '../core/peer-id.ts'
import type { PeerRecord } from '../engine/ports.ts'
import { integerIn, type Row, textIn } from './column.ts'
import { prepare, prepareUpsert } from './statement.ts'

/** What is kept of other peers: the table `peer`. Writes happen in the caller's transaction. */
export interface PeerTable {
  put(record: PeerRecord): void
  get(peerId: PeerId): PeerRecord | null
  /** By peer id. */
  all(): PeerRecord[]
}

export function preparePeerTable(database: DatabaseSync): PeerTable {
  const put = prepareUpsert(database, 'peer', {
    key: ['peer_id'],
    updated: ['epoch', 'sequence', 'key', 'name'],
  })
  const get = prepare(database, 'SELECT * FROM peer WHERE peer_id = ?')
  const all = prepare(database, 'SELECT * FROM peer ORDER BY peer_id')
  return {
    put: ({ peerId, epoch, sequence, key, name }) => {
      put.run(peerId, epoch, sequence, key, name)
    },
    get: (peerId) => {
      const row = get.get(peerId)
      return row === undefined ? null : parseRecord(row)
    },
    all: () => all.all().map((row) => parseRecord(row)),
  }
}

function parseRecord(row: Row): PeerRecord {
  return {
    peerId: parsePeerId(textIn(row, 'peer_id')),
    epoch: parseEpoch(textIn(row, 'epoch')),
    sequence: integerIn(row, 'sequence', { from: 0 }),
    key: textIn(row, 'key'),
    name: textIn(row, 'name'),
  }
}
