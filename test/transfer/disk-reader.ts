import { closeSync, constants, fstatSync, openSync, readSync, type BigIntStats } from 'node:fs'
import { SyndError } from '../../src/core/errors.ts'
import type { Observation } from '../../src/core/observation.ts'
import type { FileReader, OpenedFile } from '../../src/transfer/source/served-file.ts'

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
const fileFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Opens files below `root` component by component, following no link. `onRead` may change the file while it is read. */
export function diskReader(root: string, onRead: (position: number) => void = () => undefined) {
  const opened = { now: 0, ever: 0 }
  const reader: FileReader = {
    open: (path) => {
      const file = openBelow(root, path)
      opened.now++
      opened.ever++
      return openedFile(file, onRead, () => opened.now--)
    },
  }
  return { reader, opened }
}

function openedFile(
  file: number,
  onRead: (position: number) => void,
  closed: () => void,
): OpenedFile {
  return {
    look: () => observationOf(fstatSync(file, { bigint: true })),
    read: async (position, maxBytes) => {
      onRead(position)
      const buffer = Buffer.allocUnsafe(maxBytes)
      return buffer.subarray(0, readSync(file, buffer, 0, maxBytes, position))
    },
    close: () => {
      closeSync(file)
      closed()
    },
  }
}

export function observationOf(stat: BigIntStats): Observation {
  if (!stat.isFile()) throw new SyndError('superseded', 'no regular file')
  return {
    kind: 'file',
    mode: Number(stat.mode & 0o7777n),
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    sizeBytes: Number(stat.size),
    inode: stat.ino,
    device: stat.dev,
  }
}

function openBelow(root: string, path: string): number {
  const names = path.split('/')
  const last = names.pop() ?? ''
  let directory = openSync(root, directoryFlags)
  try {
    for (const name of names) {
      const next = openSync(placeIn(directory, name), directoryFlags)
      closeSync(directory)
      directory = next
    }
    const file = openSync(placeIn(directory, last), fileFlags)
    if (fstatSync(file).isFile()) return file
    closeSync(file)
    throw new SyndError('superseded', 'no regular file')
  } catch (cause) {
    if (cause instanceof SyndError) throw cause
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    const isGone = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(code)
    throw new SyndError(isGone ? 'superseded' : 'unreadable', `cannot be opened (${code})`, {
      cause,
    })
  } finally {
    closeSync(directory)
  }
}

function placeIn(directory: number, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${directory}/${name}`, 'latin1')
}
