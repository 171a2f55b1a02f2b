import type { DatabaseSync } from 'node:sqlite'

import type { Hold } from '../core/index-record.ts'
import { parseRelativePath } from '../core/relative-path.ts'
import { latin1In, latin1Value, type Row, textIn } from './column.ts'
import { observationColumns, observationValues, parseObservation } from './record.ts'
import { prepare, prepareUpsert } from './statement.ts'

/** Files that were moved out of the way (rule 22): the table `hold`. */
export interface HoldTable {
  put(hold: Hold): void
  release(id: string): void
  /** By id. */
  all(): Hold[]
}

export function prepareHoldTable(database: DatabaseSync): HoldTable {
  const put = prepareUpsert(database, 'hold', {
    key: ['hold_id'],
    updated: ['path', ...observationColumns],
  })
  const release = prepare(database, 'DELETE FROM hold WHERE hold_id = ?')
  const all = prepare(database, 'SELECT * FROM hold ORDER BY hold_id')
  return {
    put: ({ id, path, expected }) => {
      put.run(id, latin1Value(path), ...observationValues(expected))
    },
    release: (id) => void release.run(id),
    all: () => all.all().map((row) => parseHold(row)),
  }
}

function parseHold(row: Row): Hold {
  return {
    id: textIn(row, 'hold_id'),
    path: parseRelativePath(latin1In(row, 'path')),
    expected: parseObservation(row),
  }
}
