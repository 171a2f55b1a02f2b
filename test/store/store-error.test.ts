import { describe, expect, test } from 'vitest'

import { SyndError } from '../../src/core/errors.ts'
import { toStoreError } from '../../src/store/store-error.ts'

describe('what an error under the store means', () => {
  test.each([
    ['SQLITE_BUSY', sqliteError(5), 'volume-locked'],
    ['SQLITE_READONLY_DBMOVED', sqliteError(1032), 'volume-unwritable'],
    ['SQLITE_IOERR_WRITE', sqliteError(778), 'io'],
    ['SQLITE_CORRUPT_INDEX', sqliteError(779), 'store-damaged'],
    ['SQLITE_FULL', sqliteError(13), 'no-space'],
    ['SQLITE_CANTOPEN', sqliteError(14), 'volume-unwritable'],
    ['SQLITE_NOTADB', sqliteError(26), 'store-damaged'],
    ['EACCES', systemError('EACCES'), 'volume-unwritable'],
    ['EROFS', systemError('EROFS'), 'volume-unwritable'],
    ['ENOENT', systemError('ENOENT'), 'volume-missing'],
    ['ENOSPC', systemError('ENOSPC'), 'no-space'],
    ['EDQUOT', systemError('EDQUOT'), 'no-space'],
    ['EIO', systemError('EIO'), 'io'],
    ['a refused path', new SyndError('bad-path', 'absolute path'), 'store-damaged'],
    ['a refused entry', new SyndError('bad-entry', 'dot'), 'store-damaged'],
    ['a newer schema', new SyndError('refused', 'schema'), 'refused'],
  ])('%s', (_title, error, code) => {
    const storeError = toStoreError(error, '/state/index.sqlite')
    expect(storeError).toBeInstanceOf(SyndError)
    expect(storeError).toMatchObject({
      code,
      cause: error,
      retryable: code === 'no-space',
      message: expect.stringContaining('/state/index.sqlite'),
    })
  })

  test('what is a bug of ours stays what it is', () => {
    for (const error of [sqliteError(2067), sqliteError(1), new TypeError('x'), 'text'])
      expect(toStoreError(error, '/state/index.sqlite')).toBe(error)
  })
})

function sqliteError(errcode: number): Error {
  return Object.assign(new Error('in SQLite'), { code: 'ERR_SQLITE_ERROR', errcode, errstr: 'why' })
}

function systemError(code: string): Error {
  return Object.assign(new Error('in the kernel'), { code, errno: -1 })
}
