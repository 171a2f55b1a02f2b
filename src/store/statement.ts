import type { DatabaseSync, StatementSync } from 'node:sqlite'

import type { Row } from './column.ts'

/** A statement whose integers come as bigint: node:sqlite throws for a number past 2^53 otherwise, and inodes are. */
export function prepare(database: DatabaseSync, sql: string): StatementSync {
  const statement = database.prepare(sql)
  statement.setReadBigInts(true)
  return statement
}

/** Inserts a row, or rewrites the columns in `updated` of the row that has the same `key` already. */
export function prepareUpsert(
  database: DatabaseSync,
  table: string,
  {
    key,
    fixed = [],
    updated,
  }: {
    readonly key: readonly string[]
    /** Follow from the key: left alone in a row that is there. */
    readonly fixed?: readonly string[]
    readonly updated: readonly string[]
  },
): StatementSync {
  const columns = [...key, ...fixed, ...updated]
  return prepare(
    database,
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
     ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${updated.map((c) => `${c} = excluded.${c}`).join(', ')}`,
  )
}

/** So many rows are read at a time where all are wanted: a commit may come between two pages, memory stays bounded. */
export const pageRows = 500

/** Rows page by page, parsed; `fetch` gives those after the row `last` (null: the first), at most `pageRows`. */
export function* inPages<Item>(
  fetch: (last: Row | null) => readonly Row[],
  parse: (row: Row) => Item,
): Generator<Item, void, void> {
  for (let last: Row | null = null; ;) {
    const page = fetch(last)
    for (const row of page) yield parse(row)
    last = page.at(-1) ?? null
    if (last === null || page.length < pageRows) return
  }
}

/** Runs `work` in one transaction: when it throws, or the commit does, nothing of it is kept. */
export function inTransaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // SQLite has rolled back by itself after a full disk and the like.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** The work's commit outlives a power loss, and so does all that was committed before. */
export function synced<Result>(database: DatabaseSync, work: () => Result): Result {
  const before = database.prepare('PRAGMA synchronous').get()?.['synchronous']
  database.exec('PRAGMA synchronous = FULL')
  try {
    return work()
  } finally {
    database.exec(`PRAGMA synchronous = ${String(before)}`)
  }
}
