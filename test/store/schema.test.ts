import { DatabaseSync } from 'node:sqlite'

import { describe, expect, test } from 'vitest'

import { checkSchema, migrateSchema, schemaSteps, schemaVersion } from '../../src/store/schema.ts'
import { inTransaction } from '../../src/store/statement.ts'

describe('migration', () => {
  const steps = [
    (database: DatabaseSync) => database.exec('CREATE TABLE t (a TEXT); INSERT INTO t VALUES (1)'),
    (database: DatabaseSync) => database.exec(`ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'second'`),
    (database: DatabaseSync) => database.exec(`UPDATE t SET a = b || ' seen by the third'`),
  ]

  test.each([0, 1, 2, 3])(
    'from version %i runs the later steps, each once and in order',
    (from) => {
      const database = new DatabaseSync(':memory:')
      migrateSchema(database, steps.slice(0, from))
      checkSchema(database, steps)
      migrateSchema(database, steps)
      expect(schemaVersion(database)).toBe(3)
      expect(database.prepare('SELECT * FROM t').all()).toEqual([
        { a: 'second seen by the third', b: 'second' },
      ])
    },
  )

  test('that fails leaves the version that was there', () => {
    const database = new DatabaseSync(':memory:')
    migrateSchema(database, steps.slice(0, 1))
    const failing = [...steps, () => database.exec('UPDATE nothing SET a = 1')]
    expect(() => inTransaction(database, () => migrateSchema(database, failing))).toThrow('nothing')
    expect(schemaVersion(database)).toBe(1)
    expect(database.prepare('SELECT * FROM t').all()).toEqual([{ a: '1' }])
  })

  test('keeps what was let go when each got a row of its own', () => {
    const database = new DatabaseSync(':memory:')
    migrateSchema(database, schemaSteps.slice(0, 2))
    database.exec(`INSERT INTO released_holds VALUES (1, 'b a')`)
    migrateSchema(database)
    const ids = database.prepare('SELECT hold_id FROM released_hold ORDER BY hold_id').all()
    expect(ids.map((row) => row['hold_id'])).toEqual(['a', 'b'])
  })

  test('of this Synd makes a schema that it accepts', () => {
    const database = new DatabaseSync(':memory:')
    migrateSchema(database)
    checkSchema(database)
    expect(schemaVersion(database)).toBe(schemaSteps.length)
  })
})

test.each([
  ['PRAGMA user_version = 99', 'refused'],
  ['PRAGMA user_version = -1', 'store-damaged'],
  ['CREATE TABLE t (a TEXT)', 'store-damaged'],
])('%s: %s', (sql, code) => {
  const database = new DatabaseSync(':memory:')
  database.exec(sql)
  expect(() => checkSchema(database)).toThrow(expect.objectContaining({ code }))
})
