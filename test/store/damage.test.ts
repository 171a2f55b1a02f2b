import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { errorCode } from '../../src/core/errors.ts'
import { isMarkedDamaged, markDamaged } from '../../src/store/state-file.ts'
import { live, numbered, path, peerRecord, renewed, told } from '../conformance/store-fixtures.ts'
import { peer } from '../core/build.ts'
import { temporaryIndex, type TemporaryIndex } from './temporary-index.ts'

let index: TemporaryIndex
beforeEach(() => {
  index = temporaryIndex()
  index.with(({ store }) =>
    store.commit({
      records: numbered(1, 2000).map((name, n) => live(name, n + 1)),
      remote: [told('b', 'x', 1)],
      recorded: [peerRecord('b', 1)],
      heldDeletes: { added: [path('x')] },
      identity: renewed({ epochs: 2 }),
    }),
  )
})
afterEach(() => index[Symbol.dispose]())

describe('an index that is damaged when it is opened is set aside and the peer joins anew', () => {
  test.each([
    ['random bytes', Buffer.from(Array.from({ length: 70_000 }, (_, n) => (n * 7919) % 251))],
    ['a few bytes', Buffer.from('no database')],
    ['text', Buffer.from('SQLite format 4\0'.repeat(500))],
  ])('%s', (_title, bytes) => {
    writeFileSync(index.path, bytes)
    const movedTo = expectSetAside(/not a database/)
    expect(readFileSync(movedTo).equals(bytes)).toBe(true)
  })

  test('the database of another program', () => {
    rmSync(index.path)
    index.edit('CREATE TABLE bookmarks (url TEXT)')
    expectSetAside(/tables that are not an index/)
  })

  test('a file cut to half', () => {
    leaveUnclean()
    writeFileSync(index.path, readFileSync(index.path).subarray(0, statSync(index.path).size / 2))
    expectSetAside(/./)
  })

  test('pages overwritten, noticed after an unclean end', () => {
    leaveUnclean()
    overwritePages(20, 60)
    expectSetAside(/./)
  })

  test.each([
    ['DROP TABLE remote', /tables or columns are missing/],
    ['ALTER TABLE entry DROP COLUMN target', /tables or columns are missing/],
    ['DELETE FROM identity', /without identity/],
    ['DELETE FROM progress', /without identity/],
    [`UPDATE identity SET peer_id = 'nobody'`, /peer id/],
    [`UPDATE identity SET epochs = '0000000000000001:1,'`, /epochs/],
    [`UPDATE identity SET epochs = '0000000000000001:-1'`, /epochs/],
    ['UPDATE identity SET is_joined = 2', /is_joined/],
    ['UPDATE progress SET last_counter = -1', /last_counter/],
    ['UPDATE progress SET last_sequence = 9007199254740993', /last_sequence/],
  ])('%s', (sql, reason) => {
    index.edit(sql)
    expectSetAside(reason)
  })
})

describe('a damage met in use is thrown, and the next start sets the index aside', () => {
  test.each([
    [`kind = 'fifo'`, 'entry'],
    [`kind = 'tombstone'`, 'entry'],
    [`digest = NULL`, 'entry'],
    [`digest = x'0011'`, 'entry'],
    [`size_bytes = NULL`, 'entry'],
    [`size_bytes = -1`, 'entry'],
    [`kind = 'symlink', target = x''`, 'entry'],
    [`kind = 'symlink', target = x'610062'`, 'entry'],
    [`kind = 'symlink', target = zeroblob(4096)`, 'entry'],
    [`mode = 4095`, 'entry'],
    [`mtime_us = 9007199254740993`, 'entry'],
    [`version = 'aaaaaaaaaaaaaaaa:0'`, 'entry'],
    [`version = 'aaaaaaaaaaaaaaaa:1,aaaaaaaaaaaaaaaa:2'`, 'entry'],
    [`content_dot = ''`, 'entry'],
    [`metadata_dot = 'a:1'`, 'entry'],
    [`path = x'2e2e2f6574632f706173737764'`, 'entry'],
    [`path = x'66003030303031'`, 'entry'],
    [`sequence = -1`, 'entry'],
    [`seen_kind = 'fifo'`, 'entry'],
    [`seen_mode = NULL`, 'entry'],
    [`seen_mtime_ns = NULL`, 'entry'],
    [`seen_ctime_ns = 'soon'`, 'entry'],
    [`seen_size_bytes = -1`, 'entry'],
    [`seen_inode = x'00'`, 'entry'],
    [`seen_device = 0.5`, 'entry'],
    [`peer = 'nobody'`, 'remote'],
    [`sequence = -1`, 'remote'],
    [`digest = NULL`, 'remote'],
    [`peer_id = 'nobody'`, 'peer'],
    [`epoch = ''`, 'peer'],
    [`sequence = -1`, 'peer'],
    [`path = x'2f'`, 'held_delete'],
  ])('%s in %s', (change, table) => {
    const where =
      table === 'entry' ? `WHERE path = x'${Buffer.from('f00001').toString('hex')}'` : ''
    index.edit(`UPDATE ${table} SET ${change} ${where}`)
    index.with(({ store, damaged }) => {
      expect(damaged).toBeNull()
      expect(
        codeOf(() => [
          ...store.all(),
          ...store.remote(path('x')),
          store.peers(),
          store.heldDeletes(),
        ]),
      ).toBe('store-damaged')
    })
    expectSetAside(/damaged while it was in use/)
  })

  test('pages overwritten under a clean index', () => {
    overwritePages(20, 60)
    index.with(({ store, damaged }) => {
      expect(damaged).toBeNull()
      expect(codeOf(() => [...store.all()])).toBe('store-damaged')
    })
    expectSetAside(/damaged while it was in use/)
  })

  test('a path that cannot be synced is no damage of the index', () => {
    index.with(({ store }) => expect(store.get(path('nothing'))).toBeNull())
    index.with(({ damaged }) => expect(damaged).toBeNull())
  })
})

describe('setting aside', () => {
  test('names it by the time in UTC, and a second one of that second too', () => {
    writeFileSync(index.path, 'damaged once')
    expect(basename(expectSetAside(/./))).toBe('index.sqlite.damaged-20261123T145301Z')
    writeFileSync(index.path, 'damaged twice')
    const second = expectSetAside(/./)
    expect(basename(second)).toBe('index.sqlite.damaged-20261123T145301Z.2')
    expect(readFileSync(second, 'utf8')).toBe('damaged twice')
  })

  test('takes the log along: the set aside index has its last commits', () => {
    leaveUnclean()
    markDamaged(index.path)
    const movedTo = expectSetAside(/./)
    const database = new DatabaseSync(movedTo)
    expect(database.prepare('SELECT count(*) AS n FROM entry').get()).toEqual({ n: 2001 })
    database.close()
  })

  test('that was interrupted is finished: half an index is never believed', () => {
    leaveUnclean()
    markDamaged(index.path)
    renameSync(`${index.path}-wal`, `${index.path}.damaged-20260101T000000Z-wal`)
    expectSetAside(/./)
  })

  test('happens once', () => {
    markDamaged(index.path)
    expectSetAside(/./)
    expect(isMarkedDamaged(index.path)).toBe(false)
    index.with(({ isNew, damaged }) =>
      expect({ isNew, damaged }).toEqual({ isNew: false, damaged: null }),
    )
  })
})

test('a log without its index is not believed', () => {
  leaveUnclean()
  rmSync(index.path)
  index.with(({ store, isNew }) => {
    expect(isNew).toBe(true)
    expect([...store.all()]).toEqual([])
  })
  index.with(({ isNew, damaged }) =>
    expect({ isNew, damaged }).toEqual({ isNew: false, damaged: null }),
  )
})

test('an unclean end alone is no damage', () => {
  leaveUnclean()
  index.with(({ store, isNew, damaged }) => {
    expect({ isNew, damaged }).toEqual({ isNew: false, damaged: null })
    expect([...store.all()]).toHaveLength(2001)
  })
})

/** Opens, expects that what was there is set aside and that the new index works; gives where the old one is. */
function expectSetAside(reason: RegExp): string {
  const movedTo = index.with(({ store, isNew, damaged }) => {
    expect(isNew).toBe(true)
    expect(damaged?.reason).toMatch(reason)
    expect(store.identity()).toMatchObject({ peerId: peer('a'), isJoined: false, epochs: [] })
    expect([...store.all()]).toEqual([])
    store.commit({ records: [live('new', 1)] })
    return damaged?.movedTo ?? ''
  })
  expect(existsSync(movedTo)).toBe(true)
  expect(dirname(movedTo)).toBe(dirname(index.path))
  index.with(({ store, damaged }) => {
    expect(damaged).toBeNull()
    expect([...store.all()]).toHaveLength(1)
  })
  expect(readdirSync(dirname(index.path)).filter((file) => !file.includes('.damaged-'))).toEqual([
    'index.sqlite',
  ])
  return movedTo
}

/** What a killed process leaves: the last commit is in the log only. */
function leaveUnclean(): void {
  const copy = `${index.path}.copy`
  index.with(({ store }) => {
    store.commit({ records: [live('last', 5000)] })
    copyFileSync(index.path, copy)
    copyFileSync(`${index.path}-wal`, `${copy}-wal`)
  })
  renameSync(copy, index.path)
  renameSync(`${copy}-wal`, `${index.path}-wal`)
}

function overwritePages(from: number, to: number): void {
  const pageBytes = 4096
  const file = openSync(index.path, 'r+')
  writeSync(file, Buffer.alloc((to - from) * pageBytes, 0xa5), 0, undefined, from * pageBytes)
  closeSync(file)
}

function codeOf(work: () => unknown): string | null {
  try {
    work()
    return null
  } catch (error) {
    return errorCode(error)
  }
}
