import type { DatabaseSync } from 'node:sqlite'

import type { RemoteRecord } from '../core/index-record.ts'
import { parsePeerId, type PeerId } from '../core/peer-id.ts'
import type { RelativePath } from '../core/relative-path.ts'
import { integerIn, latin1Value, type Row, textIn } from './column.ts'
import { entryColumns, entryValues, parseEntry, parsePath } from './record.ts'
import { inPages, pageRows, prepare, prepareUpsert } from './statement.ts'

/** What peers told: the table `remote`. Writes happen in the caller's transaction. */
export interface RemoteTable {
  put(record: RemoteRecord): void
  clear(): void
  /** By peer id. */
  of(path: RelativePath): RemoteRecord[]
  get(peer: PeerId, path: RelativePath): RemoteRecord | null
  /** Of whom there is anything; at most two. */
  peers(): PeerId[]
  /** In byte order of paths, then by peer id, read page by page. */
  unequal(): Generator<RemoteRecord>
  /** By sequence, read page by page. */
  unequalOf(peer: PeerId): Generator<RemoteRecord>
}

/** What `sameEntry` of core denies; IS NOT also where the index has nothing. The texts of vectors and dots are canonical. */
const isUnequal = `(
  entry.version IS NOT remote.version
  OR entry.content_dot <> remote.content_dot
  OR entry.metadata_dot <> remote.metadata_dot
  OR entry.kind <> remote.kind
  OR entry.digest IS NOT remote.digest
  OR entry.removed_kind IS NOT remote.removed_kind
  OR entry.removed_digest IS NOT remote.removed_digest
  OR entry.mode <> remote.mode
  OR remote.kind <> 'directory' AND entry.mtime_us <> remote.mtime_us)`

export function prepareRemoteTable(database: DatabaseSync): RemoteTable {
  const put = prepareUpsert(database, 'remote', {
    key: ['path', 'peer'],
    updated: ['sequence', ...entryColumns],
  })
  const clear = prepare(database, 'DELETE FROM remote')
  const columns = ['peer', 'sequence', ...entryColumns].join(', ')
  const ofPath = prepare(database, `SELECT ${columns} FROM remote WHERE path = ? ORDER BY peer`)
  const get = prepare(database, `SELECT ${columns} FROM remote WHERE path = ? AND peer = ?`)
  const peers = prepare(database, 'SELECT DISTINCT peer FROM remote LIMIT 2')
  const unequal = prepare(
    database,
    `SELECT remote.* FROM remote LEFT JOIN entry ON entry.path = remote.path
     WHERE (remote.path, remote.peer) > (?, ?) AND ${isUnequal}
     ORDER BY remote.path, remote.peer LIMIT ${pageRows}`,
  )
  // The row's id decides among equal sequences, which only a peer that breaks the protocol announces.
  const unequalOf = prepare(
    database,
    `SELECT remote.* FROM remote LEFT JOIN entry ON entry.path = remote.path
     WHERE remote.peer = ? AND (remote.sequence, remote.id) > (?, ?) AND ${isUnequal}
     ORDER BY remote.sequence, remote.id LIMIT ${pageRows}`,
  )
  return {
    put: ({ peer, sequence, entry }) => {
      put.run(latin1Value(entry.path), peer, sequence, ...entryValues(entry))
    },
    clear: () => {
      clear.run()
    },
    of: (path) => ofPath.all(latin1Value(path)).map((row) => parseRecord(row, path)),
    get: (peer, path) => {
      const row = get.get(latin1Value(path), peer)
      return row === undefined ? null : parseRecord(row, path)
    },
    peers: () => peers.all().map((row) => parsePeerId(textIn(row, 'peer'))),
    unequal: () =>
      inPages(
        (last) => unequal.all(last?.['path'] ?? latin1Value(''), last?.['peer'] ?? ''),
        (row) => parseRecord(row),
      ),
    unequalOf: (peer) =>
      inPages(
        (last) => unequalOf.all(peer, last?.['sequence'] ?? -1, last?.['id'] ?? -1),
        (row) => parseRecord(row),
      ),
  }
}

function parseRecord(row: Row, path = parsePath(row)): RemoteRecord {
  return {
    peer: parsePeerId(textIn(row, 'peer')),
    sequence: integerIn(row, 'sequence', { from: 0 }),
    entry: parseEntry(row, path),
  }
}
