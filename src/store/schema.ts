import type { DatabaseSync } from 'node:sqlite'

import { SyndError } from '../core/errors.ts'

/**
 * `schemaSteps[n]` brings an index from schema version n to n + 1, inside a transaction. A step that was released is
 * never edited: a change of the schema is a new step at the end.
 */
export const schemaSteps: readonly ((database: DatabaseSync) => void)[] = [
  createTables,
  addReleasedHolds,
  keepReleasedHoldsApart,
]

/** The version in the file; 0 for one that is empty. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
}

/** Throws `refused` when a newer Synd wrote the index, and `store-damaged` when it was not Synd. */
export function checkSchema(database: DatabaseSync, steps = schemaSteps): void {
  const version = schemaVersion(database)
  if (version > steps.length)
    throw new SyndError(
      'refused',
      `the index has schema version ${version}, this Synd knows up to ${steps.length}: run the newer Synd again, ` +
        'or move the index away to join as a new peer',
    )
  if (version < 0) throw new SyndError('store-damaged', `schema version ${version}`)
  if (version === 0 && database.prepare('SELECT 1 FROM sqlite_schema').get() !== undefined)
    throw new SyndError('store-damaged', 'tables that are not an index')
}

/** Brings the index up to date. The caller has checked it and holds a transaction open, so it is all steps or none. */
export function migrateSchema(database: DatabaseSync, steps = schemaSteps): void {
  for (const step of steps.slice(schemaVersion(database))) step(database)
  database.exec(`PRAGMA user_version = ${steps.length}`)
}

/*
 * Paths are BLOBs, one byte a char: SQLite compares them with memcmp, which is the order of RelativePath. A table keyed
 * by rowid takes twice the puts of one WITHOUT ROWID, whose every index would repeat the path.
 * ANY holds an integer, or its digits where 64 bits are too few (column.ts).
 */

const entryDefinition = `
  kind TEXT NOT NULL, digest BLOB, size_bytes INTEGER, target BLOB, removed_kind TEXT, removed_digest BLOB,
  mode INTEGER NOT NULL, mtime_us INTEGER NOT NULL,
  version TEXT NOT NULL, content_dot TEXT NOT NULL, metadata_dot TEXT NOT NULL`

const observationDefinition = `
  seen_kind TEXT, seen_mode INTEGER, seen_mtime_ns ANY, seen_ctime_ns ANY, seen_size_bytes INTEGER,
  seen_inode ANY, seen_device ANY`

function createTables(database: DatabaseSync): void {
  database.exec(`
    CREATE TABLE entry (
      id INTEGER PRIMARY KEY,
      path BLOB NOT NULL UNIQUE,
      parent BLOB NOT NULL, -- empty for what lies in the root
      sequence INTEGER NOT NULL, -- 0: not announced
      ${entryDefinition}, ${observationDefinition}
    ) STRICT;
    CREATE UNIQUE INDEX entry_by_sequence ON entry (sequence) WHERE sequence > 0;
    CREATE INDEX live_entry_by_parent ON entry (parent) WHERE kind <> 'tombstone';
    CREATE INDEX file_by_digest ON entry (digest) WHERE kind = 'file';

    CREATE TABLE remote (
      id INTEGER PRIMARY KEY,
      path BLOB NOT NULL,
      peer TEXT NOT NULL,
      sequence INTEGER NOT NULL,
      ${entryDefinition},
      UNIQUE (path, peer)
    ) STRICT;
    CREATE INDEX remote_by_sequence ON remote (peer, sequence);

    CREATE TABLE peer (
      peer_id TEXT PRIMARY KEY NOT NULL,
      epoch TEXT NOT NULL,
      sequence INTEGER NOT NULL,
      key TEXT NOT NULL,
      name TEXT NOT NULL
    ) STRICT;

    CREATE TABLE hold (
      hold_id TEXT PRIMARY KEY NOT NULL,
      path BLOB NOT NULL,
      ${observationDefinition}
    ) STRICT;

    CREATE TABLE held_delete (path BLOB PRIMARY KEY NOT NULL) STRICT;

    -- One row each: progress is written with most commits, identity seldom, and its epochs can be long.
    CREATE TABLE identity (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      peer_id TEXT NOT NULL,
      epochs TEXT NOT NULL, -- epoch:last sequence,…
      is_joined INTEGER NOT NULL,
      volume_mark TEXT,
      boot_id TEXT,
      is_clean INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE progress (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      last_counter INTEGER NOT NULL,
      last_sequence INTEGER NOT NULL
    ) STRICT;
  `)
}

/** One row: the ids of the last holds that were released, with spaces in between. */
function addReleasedHolds(database: DatabaseSync): void {
  database.exec(`
    CREATE TABLE released_holds (id INTEGER PRIMARY KEY CHECK (id = 1), hold_ids TEXT NOT NULL) STRICT;
  `)
}

/** One row for each, so that they come and go one by one. */
function keepReleasedHoldsApart(database: DatabaseSync): void {
  const released = database.prepare('SELECT hold_ids FROM released_holds').get()?.['hold_ids']
  database.exec(`
    DROP TABLE released_holds;
    CREATE TABLE released_hold (hold_id TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;
  `)
  if (typeof released !== 'string') return
  const insert = database.prepare('INSERT INTO released_hold VALUES (?)')
  for (const id of new Set(released.split(' '))) insert.run(id)
}
