import type { DatabaseSync } from 'node:sqlite'

import type { Hold } from '../core/index-record.ts'
import { parseRelativePath } from '../core/relative-path.ts'
import { latin1In, latin1Value, type Row, textIn } from './column.ts'
import { observationColumns, observationValues, parseObservation } from './record.ts'
import { prepare, prepareUpsert } from './statement.ts'

/** Files that were moved out of the way (rule 22): the table `hold`, and those let go in `released_hold` until their files are gone. */
export interface HoldTable {
  put(hold: Hold): void
  release(ids: readonly string[]): void
  /** Their files are gone. */
  forgetReleased(ids: readonly string[]): void
  /** By id. */
  all(): Hold[]
  /** By id. */
  released(): string[]
}

export function prepareHoldTable(database: DatabaseSync): HoldTable {
  const put = prepareUpsert(database, 'hold', {
    key: ['hold_id'],
    updated: ['path', ...observationColumns],
  })
  const remove = prepare(database, 'DELETE FROM hold WHERE hold_id = ?')
  const release = prepare(database, 'INSERT OR IGNORE INTO released_hold VALUES (?)')
  const forgetReleased = prepare(database, 'DELETE FROM released_hold WHERE hold_id = ?')
  const released = prepare(database, 'SELECT hold_id FROM released_hold ORDER BY hold_id')
  const all = prepare(database, 'SELECT * FROM hold ORDER BY hold_id')
  return {
    put: ({ id, path, expected }) => {
      put.run(id, latin1Value(path), ...observationValues(expected))
    },
    release: (ids) => {
      for (const id of ids) {
        remove.run(id)
        release.run(id)
      }
    },
    forgetReleased: (ids) => {
      for (const id of ids) forgetReleased.run(id)
    },
    all: () => all.all().map((row) => parseHold(row)),
    released: () => released.all().map((row) => textIn(row, 'hold_id')),
  }
}

function parseHold(row: Row): Hold {
  return {
    id: textIn(row, 'hold_id'),
    path: parseRelativePath(latin1In(row, 'path')),
    expected: parseObservation(row),
  }
}
