import type { DatabaseSync } from 'node:sqlite'

import { SyndError } from '../core/errors.ts'
import { type HeldDeleteTable, prepareHeldDeleteTable } from './held-delete-table.ts'
import { type HoldTable, prepareHoldTable } from './hold-table.ts'
import { type IndexTable, prepareIndexTable } from './index-table.ts'
import { type PeerTable, preparePeerTable } from './peer-table.ts'
import { prepareRemoteTable, type RemoteTable } from './remote-table.ts'
import { prepareSelfTable, type SelfTable } from './self-table.ts'

/** Every table of the index with its prepared statements. */
export interface Tables {
  readonly index: IndexTable
  readonly remote: RemoteTable
  readonly peers: PeerTable
  readonly holds: HoldTable
  readonly heldDeletes: HeldDeleteTable
  readonly self: SelfTable
}

/** Throws `store-damaged` when the file says that it has this schema and lacks parts of it. */
export function prepareTables(database: DatabaseSync): Tables {
  try {
    return {
      index: prepareIndexTable(database),
      remote: prepareRemoteTable(database),
      peers: preparePeerTable(database),
      holds: prepareHoldTable(database),
      heldDeletes: prepareHeldDeleteTable(database),
      self: prepareSelfTable(database),
    }
  } catch (error) {
    if (!isMissingTable(error)) throw error
    throw new SyndError('store-damaged', 'tables or columns are missing', { cause: error })
  }
}

/** SQLITE_ERROR, which at preparing a statement that works elsewhere can only mean this. */
function isMissingTable(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 1
}
