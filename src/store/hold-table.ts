import type { DatabaseSync } from 'node:sqlite'

import type { Hold } from '../core/index-record.ts'
import { parseRelativePath } from '../core/relative-path.ts'
import { latin1In, latin1Value, type Row, textIn } from './column.ts'
import { observationColumns, observationValues, parseObservation } from './record.ts'
import { prepare, prepareUpsert } from './statement.ts'

/** Files that were moved out of the way (rule 22): the table `hold`, and of those let go the last ones in `released_holds`. */
export interface HoldTable {
  put(hold: Hold): void
  /** Takes the place of what was released before; nothing, when there are none. */
  release(ids: readonly string[]): void
  /** By id. */
  all(): Hold[]
  /** What was released last. */
  released(): string[]
}

export function prepareHoldTable(database: DatabaseSync): HoldTable {
  const put = prepareUpsert(database, 'hold', {
    key: ['hold_id'],
    updated: ['path', ...observationColumns],
  })
  const remove = prepare(database, 'DELETE FROM hold WHERE hold_id = ?')
  const noteReleased = prepareUpsert(database, 'released_holds', {
    key: ['id'],
    updated: ['hold_ids'],
  })
  const released = prepare(database, 'SELECT hold_ids FROM released_holds')
  const all = prepare(database, 'SELECT * FROM hold ORDER BY hold_id')
  return {
    put: ({ id, path, expected }) => {
      put.run(id, latin1Value(path), ...observationValues(expected))
    },
    release: (ids) => {
      if (ids.length === 0) return
      for (const id of ids) remove.run(id)
      noteReleased.run(1, ids.join(' '))
    },
    all: () => all.all().map((row) => parseHold(row)),
    released: () => released.all().flatMap((row) => textIn(row, 'hold_ids').split(' ')),
  }
}

function parseHold(row: Row): Hold {
  return {
    id: textIn(row, 'hold_id'),
    path: parseRelativePath(latin1In(row, 'path')),
    expected: parseObservation(row),
  }
}
