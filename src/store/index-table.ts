import type { DatabaseSync } from 'node:sqlite'

import type { Digest } from '../core/digest.ts'
import type { IndexRecord } from '../core/index-record.ts'
import type { Sequence } from '../core/protocol.ts'
import { parentOf, parseRelativePath, type RelativePath } from '../core/relative-path.ts'
import { hexValue, integerIn, latin1In, latin1Value, type Row } from './column.ts'
import {
  entryColumns,
  entryValues,
  observationColumns,
  observationValues,
  parsePath,
  parseEntry,
  parseObservation,
} from './record.ts'
import { inPages, pageRows, prepare, prepareUpsert } from './statement.ts'

/** What was read of a path before; undefined: nothing was. */
type Known = (path: RelativePath) => IndexRecord | null | undefined

/** What this disk holds: the table `entry`. Writes happen in the caller's transaction. */
export interface IndexTable {
  put(record: IndexRecord): void
  forget(path: RelativePath): void
  get(path: RelativePath): IndexRecord | null
  /** In byte order, read page by page. */
  all(): Generator<IndexRecord>
  children(directory: RelativePath | null, known: Known): IndexRecord[]
  hasLiveBelow(directory: RelativePath): boolean
  changesAfter(sequence: Sequence, limit: number, known: Known): IndexRecord[]
  /** In no particular order. */
  findByDigest(digest: Digest, limit: number): RelativePath[]
}

export function prepareIndexTable(database: DatabaseSync): IndexTable {
  const put = prepareUpsert(database, 'entry', {
    key: ['path'],
    fixed: ['parent'],
    updated: ['sequence', ...entryColumns, ...observationColumns],
  })
  const forget = prepare(database, 'DELETE FROM entry WHERE path = ?')
  const get = prepare(database, `SELECT ${columns} FROM entry WHERE path = ?`)
  const page = prepare(
    database,
    `SELECT ${columns} FROM entry WHERE path > ? ORDER BY path LIMIT ${pageRows}`,
  )
  const childPaths = prepare(
    database,
    `SELECT path FROM entry WHERE parent = ? AND kind <> 'tombstone'`,
  )
  // Sorted afterwards: SQLite would carry all columns through its sorter.
  const children = prepare(
    database,
    `SELECT ${columns} FROM entry WHERE parent = ? AND kind <> 'tombstone'`,
  )
  // By parent and not by path: its index has live entries only, so a directory full of tombstones costs nothing.
  const below = prepare(
    database,
    `SELECT EXISTS (SELECT 1 FROM entry WHERE parent = ? AND kind <> 'tombstone')
         OR EXISTS (SELECT 1 FROM entry WHERE parent > ? AND parent < ? AND kind <> 'tombstone') AS found`,
  )
  // `sequence > 0` is there for the planner: the index is a partial one.
  const changes = prepare(
    database,
    `SELECT ${columns} FROM entry WHERE sequence > ? AND sequence > 0 ORDER BY sequence LIMIT ?`,
  )
  // In the index's own order: ten thousand empty files need not be sorted to find one.
  const byDigest = prepare(
    database,
    `SELECT path FROM entry WHERE digest = ? AND kind = 'file' LIMIT ?`,
  )
  /** Null: not all of them are known. */
  const knownChildren = (parent: Buffer, known: Known): IndexRecord[] | null => {
    const records: IndexRecord[] = []
    for (const row of childPaths.iterate(parent)) {
      const record = known(parsePath(row))
      if (record === null || record === undefined) return null
      records.push(record)
    }
    return records
  }
  return {
    put: ({ entry, observation, sequence }) => {
      put.run(
        latin1Value(entry.path),
        parentValue(parentOf(entry.path)),
        sequence,
        ...entryValues(entry),
        ...observationValues(observation),
      )
    },
    forget: (path) => void forget.run(latin1Value(path)),
    get: (path) => {
      const row = get.get(latin1Value(path))
      return row === undefined ? null : parseRecord(row, path)
    },
    all: () =>
      inPages(
        (last) => page.all(last?.['path'] ?? latin1Value('')),
        (row) => parseRecord(row),
      ),
    children: (directory, known) => {
      const parent = parentValue(directory)
      const records =
        knownChildren(parent, known) ?? children.all(parent).map((row) => knownOrParsed(row, known))
      return records.sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1))
    },
    hasLiveBelow: (directory) => {
      const [from, to] = [`${directory}/`, `${directory}${afterSlash}`]
      const row = below.get(latin1Value(directory), latin1Value(from), latin1Value(to)) ?? {}
      return integerIn(row, 'found') === 1
    },
    changesAfter: (sequence, limit, known) =>
      changes.all(sequence, limit).map((row) => knownOrParsed(row, known)),
    findByDigest: (digest, limit) =>
      byDigest.all(hexValue(digest), limit).map((row) => parseRelativePath(latin1In(row, 'path'))),
  }
}

/** Those that are read back. */
const columns = ['path', 'sequence', ...entryColumns, ...observationColumns].join(', ')

/** The byte that follows `/`: all paths below `a` are from `a/` to before `a0`. */
const afterSlash = '0'

function parentValue(parent: RelativePath | null): Buffer {
  return latin1Value(parent ?? '')
}

/** Most of a row need not be looked at where its record is known. */
function knownOrParsed(row: Row, known: Known): IndexRecord {
  const path = parsePath(row)
  return known(path) ?? parseRecord(row, path)
}

function parseRecord(row: Row, path = parsePath(row)): IndexRecord {
  return {
    entry: parseEntry(row, path),
    observation: parseObservation(row),
    sequence: integerIn(row, 'sequence', { from: 0 }),
  }
}
