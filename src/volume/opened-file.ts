import { SyndError } from '../core/errors.ts'
import type { Observation } from '../core/observation.ts'
import type { RelativePath } from '../core/relative-path.ts'
import { DiskError, type Disk } from './disk.ts'
import { toObservation } from './look.ts'

/** A file of the volume that is being served (fits the transfer's FileReader). */
export interface OpenedFile {
  /** What the descriptor shows now. */
  look(): Observation
  /** At most `maxBytes` from `position`, in `memory` where there is room; none at the end of the file. */
  read(position: number, maxBytes: number, memory?: Uint8Array): Promise<Uint8Array>
  close(): void
}

/**
 * Opens a file, following no link in any component and waiting for no FIFO's writer. Throws SyndError `superseded` when there is no file
 * at the path, `unreadable` where the process may not read it, `io`.
 */
export function openFile(disk: Disk, path: RelativePath): OpenedFile {
  // Who reads it compares it with what the index has, wherever its directory is by now.
  const file = translate(() => disk.together(() => disk.openForReading(path)))
  const look = (): Observation => {
    const observation = translate(() => toObservation(file.stat()))
    if (observation?.kind === 'file') return observation
    throw new SyndError('superseded', 'no file there')
  }
  try {
    look()
  } catch (error) {
    file.close()
    throw error
  }
  return {
    look,
    read: async (position, maxBytes, memory) => {
      try {
        return await file.read(position, maxBytes, memory)
      } catch (error) {
        throw readError(error)
      }
    },
    close: () => file.close(),
  }
}

function translate<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw readError(error)
  }
}

function readError(error: unknown): unknown {
  if (!(error instanceof DiskError)) return error
  switch (error.errno) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ELOOP':
    case 'EISDIR':
    case 'ENXIO':
      return new SyndError('superseded', 'no file there', { cause: error })
    case 'EACCES':
    case 'EPERM':
      return new SyndError('unreadable', `cannot be read (${error.errno})`, { cause: error })
    default:
      return new SyndError('io', `cannot be read (${error.errno})`, {
        retryable: true,
        cause: error,
      })
  }
}
