import { expect, test } from 'vitest'
import { errorCode } from '../../src/core/errors.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { diskReader, type ReadableDisk } from '../../src/transfer/source/disk-reader.ts'

class FakeError extends Error {
  readonly errno: string
  constructor(errno: string) {
    super(errno)
    this.errno = errno
  }
}
type File = ReturnType<ReadableDisk['openForReading']>
const path = parseRelativePath('a')
const stat = {
  kind: 'file',
  mode: 0o644,
  mtimeNs: 1n,
  ctimeNs: 2n,
  sizeBytes: 3,
  inode: 4n,
  device: 5n,
}

function readerOf(open: () => Partial<File>) {
  const closed = { count: 0 }
  const reader = diskReader({
    openForReading: () => ({
      stat: () => stat,
      read: async () => Buffer.from('abc'),
      close: () => closed.count++,
      ...open(),
    }),
  })
  return { reader, closed }
}

async function codeOf(run: () => unknown): Promise<string | null> {
  try {
    await run()
    return null
  } catch (error) {
    return errorCode(error)
  }
}

test.each([
  ['ENOENT', 'superseded'],
  ['ENOTDIR', 'superseded'],
  ['ELOOP', 'superseded'],
  ['ENXIO', 'superseded'],
  ['EACCES', 'unreadable'],
  ['EIO', 'unreadable'],
])('%s is %s', async (errno, code) => {
  const { reader } = readerOf(() => {
    throw new FakeError(errno)
  })
  expect(await codeOf(() => reader.open(path))).toBe(code)
})

test('what is no file is superseded, and closed', async () => {
  const { reader, closed } = readerOf(() => ({ stat: () => ({ ...stat, kind: 'fifo' }) }))
  expect(await codeOf(() => reader.open(path))).toBe('superseded')
  expect(closed.count).toBe(1)
})

test('a read that fails says so, and a bug stays a bug', async () => {
  const { reader } = readerOf(() => ({ read: () => Promise.reject(new FakeError('EIO')) }))
  const file = await reader.open(path)
  expect(await codeOf(() => file.read(0, 1))).toBe('unreadable')
  const broken = readerOf(() => ({ read: () => Promise.reject(new TypeError('bug')) })).reader
  const other = await broken.open(path)
  await expect(Promise.resolve(other.read(0, 1))).rejects.toThrow(TypeError)
})
