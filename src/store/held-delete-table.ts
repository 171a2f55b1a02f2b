import type { DatabaseSync } from 'node:sqlite'

import { parseRelativePath, type RelativePath } from '../core/relative-path.ts'
import { latin1In, latin1Value } from './column.ts'
import { prepare } from './statement.ts'

/** Paths whose delete waits for a person (rule 19): the table `held_delete`. Writes happen in the caller's transaction. */
export interface HeldDeleteTable {
  add(path: RelativePath): void
  remove(path: RelativePath): void
  /** In byte order. */
  all(): RelativePath[]
}

export function prepareHeldDeleteTable(database: DatabaseSync): HeldDeleteTable {
  const add = prepare(database, 'INSERT INTO held_delete (path) VALUES (?) ON CONFLICT DO NOTHING')
  const remove = prepare(database, 'DELETE FROM held_delete WHERE path = ?')
  const all = prepare(database, 'SELECT path FROM held_delete ORDER BY path')
  return {
    add: (path) => void add.run(latin1Value(path)),
    remove: (path) => void remove.run(latin1Value(path)),
    all: () => all.all().map((row) => parseRelativePath(latin1In(row, 'path'))),
  }
}
