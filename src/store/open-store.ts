import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

import { errorCode, SyndError } from '../core/errors.ts'
import type { PeerId } from '../core/peer-id.ts'
import { checkSchema, migrateSchema, schemaSteps, schemaVersion } from './schema.ts'
import { newSelf, prepareSelfTable } from './self-table.ts'
import { SqliteStore } from './sqlite-store.ts'
import { isMarkedDamaged, makeStateFile, markDamaged, setAside } from './state-file.ts'
import { inTransaction } from './statement.ts'
import { toStoreError } from './store-error.ts'
import { prepareTables } from './tables.ts'

export interface StoreOptions {
  /** `index.sqlite` in the state directory, which is made when only it is missing. */
  readonly path: string
  /** `full`: a commit is on the disk when it returns. `none`: a power loss may take the last commits, but never the index. */
  readonly durability: 'full' | 'none'
  /** Draws the id of a new index. */
  readonly newPeerId: () => PeerId
  readonly nowMs: () => number
}

export interface OpenedStore {
  readonly store: SqliteStore
  /** No index was here: the peer joins. */
  readonly isNew: boolean
  /** The index that was here is damaged: where it is now, and what is wrong. For the log. */
  readonly damaged: { readonly movedTo: string; readonly reason: string } | null
}

/**
 * Opens the index, makes one where there is none, sets a damaged one aside for a new one. Throws `refused` for the index of a newer
 * Synd, `volume-locked` while another process has it open, `volume-missing`, `volume-unwritable`, `no-space`, `io`.
 */
export function openStore(options: StoreOptions): OpenedStore {
  const { path, nowMs } = options
  try {
    const opened = tryOpen(options)
    if (opened.kind === 'open') return { ...opened, damaged: null }
    const movedTo = setAside(path, nowMs())
    const fresh = tryOpen(options)
    if (fresh.kind === 'open') return { ...fresh, damaged: { movedTo, reason: opened.reason } }
    throw new SyndError('io', `a new index is damaged at once: ${fresh.reason}`)
  } catch (error) {
    throw toStoreError(error, path)
  }
}

/** Takes a closed index that is of another volume out of the way, with its log; gives its new path. Throws as `openStore` does. */
export function setIndexAside(path: string, nowMs: number): string {
  try {
    return setAside(path, nowMs)
  } catch (error) {
    throw toStoreError(error, path)
  }
}

type Attempt =
  | { readonly kind: 'open'; readonly store: SqliteStore; readonly isNew: boolean }
  | { readonly kind: 'damaged'; readonly reason: string }

function tryOpen(options: StoreOptions): Attempt {
  const { path } = options
  if (isMarkedDamaged(path)) return { kind: 'damaged', reason: 'found damaged while it was in use' }
  makeStateFile(path)
  // A clean close leaves no log behind.
  const wasUnclean = existsSync(`${path}-wal`)
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    return { kind: 'open', ...prepareStore(database, options, { wasUnclean }) }
  } catch (error) {
    database.close()
    const storeError = toStoreError(error, path)
    if (errorCode(storeError) !== 'store-damaged' || !(storeError instanceof Error)) throw error
    return { kind: 'damaged', reason: storeError.message }
  }
}

function prepareStore(
  database: DatabaseSync,
  { path, durability, newPeerId }: StoreOptions,
  { wasUnclean }: { readonly wasUnclean: boolean },
): { readonly store: SqliteStore; readonly isNew: boolean } {
  lockDatabase(database)
  // The version comes before the structure: to an older SQLite the schema of a newer Synd may look damaged.
  checkSchema(database)
  if (wasUnclean) checkStructure(database)
  tuneDatabase(database, durability)
  const isNew = schemaVersion(database) === 0
  if (schemaVersion(database) < schemaSteps.length)
    inTransaction(database, () => {
      migrateSchema(database)
      if (isNew) prepareSelfTable(database).save(newSelf(newPeerId()), null)
    })
  const tables = prepareTables(database)
  const self = tables.self.load()
  return {
    store: new SqliteStore({ database, path, tables, self, onDamage: () => tryMarkDamaged(path) }),
    isNew,
  }
}

/** The damage itself is thrown next; where a full disk takes no mark the next start meets the damage again. */
function tryMarkDamaged(path: string): void {
  try {
    markDamaged(path)
  } catch (error) {
    if (errorCode(toStoreError(error, path)) === null) throw error
  }
}

/** Keeps every other process out from the first read on; without this SQLite would share its log by a memory map (`-shm`), which network file systems lack. */
function lockDatabase(database: DatabaseSync): void {
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
}

/**
 * Sets what holds for this connection, and the journal mode. FULL syncs the log at each commit; NORMAL only before
 * parts of it move into the database, so that a power loss takes the last commits and never the structure.
 */
export function tuneDatabase(database: DatabaseSync, durability: 'full' | 'none'): void {
  const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode']
  if (mode !== 'wal') throw new SyndError('io', `journal mode is ${String(mode)} and not WAL`)
  database.exec(`
    PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'};
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -${cacheKiB};
    PRAGMA journal_size_limit = ${maxIdleLogBytes};
  `)
}

/** Throws `store-damaged` when pages, rows or types are not as they must be; took 20 ms for 40,000 rows. */
function checkStructure(database: DatabaseSync): void {
  const verdict = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
  if (verdict !== 'ok') throw new SyndError('store-damaged', String(verdict))
}

/** Holds the upper pages of all trees of an index of 100,000 entries; the default of 2 MiB does not. */
const cacheKiB = 16 * 1024

/** A burst makes the log grow; so much of it may stay afterwards. */
const maxIdleLogBytes = 16 * 1024 * 1024
