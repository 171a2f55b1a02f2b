import { type ErrorCode, SyndError } from '../core/errors.ts'

/**
 * What an error under the store means to its callers: `store-damaged`, `no-space`, `volume-locked`, `volume-unwritable` or `io`.
 * What is none of these is a bug of ours (a constraint, a closed store) and comes back as it is.
 */
export function toStoreError(error: unknown, path: string): unknown {
  const code = storeErrorCode(error)
  if (code === null || !(error instanceof Error)) return error
  return new SyndError(code, `index ${path}: ${describe(error)}`, {
    // Space comes and goes with what other programs do.
    retryable: code === 'no-space',
    cause: error,
  })
}

function storeErrorCode(error: unknown): ErrorCode | null {
  if (error instanceof SyndError) return codeOfRefusal(error.code)
  if (!(error instanceof Error)) return null
  if ('errcode' in error && typeof error.errcode === 'number')
    return sqliteCodes.get(error.errcode & primaryCodeMask) ?? null
  if ('errno' in error && 'code' in error && typeof error.code === 'string')
    return systemCodes.get(error.code) ?? 'io'
  return null
}

/** What core's parse functions refuse has been written by nobody: the file is not what it was. */
function codeOfRefusal(code: ErrorCode): ErrorCode {
  return code === 'bad-path' || code === 'bad-entry' ? 'store-damaged' : code
}

/** The rest of an extended result code tells where it happened (https://www.sqlite.org/rescode.html). */
const primaryCodeMask = 0xff

const sqliteCodes: ReadonlyMap<number, ErrorCode> = new Map([
  [3, 'volume-unwritable'], // PERM
  [5, 'volume-locked'], // BUSY
  [6, 'volume-locked'], // LOCKED
  [8, 'volume-unwritable'], // READONLY
  [10, 'io'], // IOERR
  [11, 'store-damaged'], // CORRUPT
  [13, 'no-space'], // FULL
  [14, 'volume-unwritable'], // CANTOPEN
  [26, 'store-damaged'], // NOTADB
])

const systemCodes: ReadonlyMap<string, ErrorCode> = new Map([
  ['EACCES', 'volume-unwritable'],
  ['EPERM', 'volume-unwritable'],
  ['EROFS', 'volume-unwritable'],
  ['ENOENT', 'volume-missing'],
  ['ENOSPC', 'no-space'],
  ['EDQUOT', 'no-space'],
])

function describe(error: Error): string {
  if ('errstr' in error && typeof error.errstr === 'string' && error.errstr !== error.message)
    return `${error.errstr} (${error.message})`
  return error.message
}
