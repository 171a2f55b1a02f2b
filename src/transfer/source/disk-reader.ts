import { SyndError } from '../../core/errors.ts'
import type { Observation } from '../../core/observation.ts'
import type { FileReader, OpenedFile } from './served-file.ts'

/** What of a volume's disk is needed to serve its files; no call follows a link in any component of a path. */
export interface ReadableDisk {
  /** Throws errors with an `errno` such as `ENOENT`. Never waits for a FIFO's writer. */
  openForReading(path: string): ReadableFile
}

interface ReadableFile {
  stat(): Omit<Observation, 'kind'> & { readonly kind: string }
  read(position: number, maxBytes: number): Promise<Uint8Array>
  close(): void
}

/** Something else stands where the index says that a file is: nothing, a link or a file on the way, a FIFO, a socket. */
const goneErrnos = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EISDIR']

/** The files of a volume, as the source reads them. */
export function diskReader(disk: ReadableDisk): FileReader {
  return {
    open: (path) => {
      const file = calling(() => disk.openForReading(path))
      try {
        observe(file)
      } catch (error) {
        file.close()
        throw error
      }
      return openedFile(file)
    },
  }
}

function openedFile(file: ReadableFile): OpenedFile {
  return {
    look: () => observe(file),
    read: async (position, maxBytes) => {
      try {
        return await file.read(position, maxBytes)
      } catch (cause) {
        throw toSyndError(cause)
      }
    },
    close: () => file.close(),
  }
}

function observe(file: ReadableFile): Observation {
  const { kind, mode, mtimeNs, ctimeNs, sizeBytes, inode, device } = calling(() => file.stat())
  if (kind !== 'file') throw new SyndError('superseded', `there is a ${kind} now`)
  return { kind, mode, mtimeNs, ctimeNs, sizeBytes, inode, device }
}

function calling<T>(call: () => T): T {
  try {
    return call()
  } catch (cause) {
    throw toSyndError(cause)
  }
}

/** What has no errno is a bug and stays what it is. */
function toSyndError(cause: unknown): unknown {
  if (!(cause instanceof Error) || !('errno' in cause) || typeof cause.errno !== 'string')
    return cause
  const code = goneErrnos.includes(cause.errno) ? 'superseded' : 'unreadable'
  return new SyndError(code, `the file cannot be read (${cause.errno})`, { cause })
}
