import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { openStore, tuneDatabase } from '../../src/store/open-store.ts'
import { live } from '../conformance/store-fixtures.ts'
import { contentOf } from '../conformance/store-subject.ts'
import { peer } from '../core/build.ts'
import { startCommitting } from './committing.ts'
import { temporaryIndex, type TemporaryIndex } from './temporary-index.ts'

let index: TemporaryIndex
beforeEach(() => {
  index = temporaryIndex()
})
afterEach(() => index[Symbol.dispose]())

test('the first opening makes the index, later ones find it', () => {
  const ids = [peer('a'), peer('b')].values()
  const newPeerId = () => ids.next().value ?? peer('c')
  const first = index.open({ newPeerId })
  expect(first).toMatchObject({ isNew: true, damaged: null })
  first.store.close()
  const second = index.open({ newPeerId })
  expect(second).toMatchObject({ isNew: false, damaged: null })
  expect(second.store.identity().peerId).toBe(peer('a'))
  second.store.close()
})

test('an index killed while it is made is made anew', async () => {
  const child = startCommitting(index.path, { dieAt: 'peer-id' })
  await child.exited
  expect(existsSync(index.path)).toBe(true)
  index.with((opened) => {
    expect(opened).toMatchObject({ isNew: true, damaged: null })
    opened.store.commit({ records: [live('a', 1)] })
  })
})

describe('who can read it', () => {
  const umask = process.umask()
  afterEach(() => process.umask(umask))

  test.each([0o000, 0o277])('only we, with umask %o', (wide) => {
    process.umask(wide)
    index.with(({ store }) => {
      store.commit({ records: [live('a', 1)] })
      expect(modeOf(dirname(index.path))).toBe(0o700)
      const files = readdirSync(dirname(index.path))
      expect(files.toSorted()).toEqual(['index.sqlite', 'index.sqlite-wal'])
      for (const file of files) expect(modeOf(join(dirname(index.path), file))).toBe(0o600)
    })
  })

  test('only we, also where somebody has opened the file to others', () => {
    index.with(() => {})
    chmodSync(index.path, 0o664)
    index.with(() => expect(modeOf(index.path)).toBe(0o600))
  })

  test('a state directory that is there keeps its mode: it may be mounted', () => {
    mkdirSync(dirname(index.path))
    chmodSync(dirname(index.path), 0o750)
    index.with(() => expect(modeOf(dirname(index.path))).toBe(0o750))
  })

  function modeOf(path: string): number {
    return statSync(path).mode & 0o7777
  }
})

describe('an index that cannot be opened', () => {
  test('of a newer Synd is refused, told why, and left as it is', () => {
    const before = index.with(({ store }) => {
      store.commit({ records: [live('a', 1)] })
      return contentOf(store)
    })
    index.edit('ALTER TABLE entry ADD COLUMN future TEXT; PRAGMA user_version = 7')
    const bytes = readFileSync(index.path)
    expect(() => index.open()).toThrow(
      expect.objectContaining({
        code: 'refused',
        message: expect.stringMatching(/schema version 7, this Synd knows up to 3: run the newer/),
      }),
    )
    expect(readFileSync(index.path).equals(bytes)).toBe(true)
    expect(readdirSync(dirname(index.path))).toEqual(['index.sqlite'])
    index.edit('PRAGMA user_version = 3')
    index.with(({ store }) => expect(contentOf(store)).toStrictEqual(before))
  })

  test('is locked while it is open in this process', () => {
    index.with(() => {
      expect(() => index.open()).toThrow(expect.objectContaining({ code: 'volume-locked' }))
    })
    index.with(({ damaged }) => expect(damaged).toBeNull())
  })

  test('is locked while another process has it open, and free when that is killed', async () => {
    const child = startCommitting(index.path)
    await child.committed(1)
    expect(() => index.open()).toThrow(expect.objectContaining({ code: 'volume-locked' }))
    child.kill()
    await child.exited
    index.with(({ damaged }) => expect(damaged).toBeNull())
  })

  test('below a missing directory is not made: an unmounted volume stays empty', () => {
    const missing = join(index.directory, 'volume', '.synd', 'index.sqlite')
    expect(() => openAt(missing)).toThrow(expect.objectContaining({ code: 'volume-missing' }))
    expect(readdirSync(index.directory)).toEqual([])
  })

  test('that is a link or a directory is not followed', () => {
    mkdirSync(dirname(index.path))
    writeFileSync(join(index.directory, 'elsewhere'), '')
    symlinkSync('../elsewhere', index.path)
    expect(() => index.open()).toThrow(expect.objectContaining({ code: 'io' }))
    expect(() => openAt(index.directory)).toThrow(expect.objectContaining({ code: 'io' }))
    expect(statSync(join(index.directory, 'elsewhere')).size).toBe(0)
  })

  function openAt(path: string): void {
    openStore({ path, durability: 'none', newPeerId: () => peer('a'), nowMs: () => 0 })
  }
})

test.each([
  ['full', 2],
  ['none', 1],
] as const)('with durability %s SQLite syncs at level %i', (durability, level) => {
  const database = new DatabaseSync(join(index.directory, 'x.sqlite'))
  tuneDatabase(database, durability)
  expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: level })
  expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  database.close()
})

test('a closed index is one file', () => {
  index.with(({ store }) => store.commit({ records: [live('a', 1)] }))
  expect(readdirSync(dirname(index.path))).toEqual(['index.sqlite'])
})
