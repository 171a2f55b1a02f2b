import { SyndError } from '../../core/errors.ts'
import { DiskError, errnoOf, type Disk, type DiskStat } from '../disk.ts'
import { holdDirectory, makeLayout, ownDirectory } from './layout.ts'

/** Which directory the volume was when it was opened; told from another one at its path. */
export interface RootIdentity {
  readonly inode: bigint
  readonly device: bigint
}

/** Names the directory that a stat is of. */
export function identityOf({ inode, device }: DiskStat): RootIdentity {
  return { inode, device }
}

/**
 * Makes `.synd` in the volume's root and finds whether the volume can be read and changed. Throws SyndError `volume-unreadable` or
 * `volume-unwritable`, in words for who set `SYND_VOLUME` to `path`.
 */
export async function prepareRoot(disk: Disk, path: string): Promise<RootIdentity> {
  try {
    disk.list('')
  } catch (error) {
    throw rootError(error, path)
  }
  try {
    await makeLayout(disk)
    demandChangeableNames(disk)
    return identityOf(disk.lookRoot())
  } catch (error) {
    throw unwritable(error, path)
  }
}

/** Why the directory at `path` cannot be opened or listed, as a SyndError `volume-missing` or `volume-unreadable`. */
export function rootError(error: unknown, path: string): unknown {
  const errno = errnoOf(error)
  const said = `SYND_VOLUME: ${JSON.stringify(path)}`
  switch (errno) {
    case null:
      return error
    case 'ENOENT':
      return new SyndError(
        'volume-missing',
        `${said} does not exist; expected the directory to keep equal. Create or mount it, or set SYND_VOLUME to the one that is meant`,
        { cause: error },
      )
    case 'ENOTDIR':
      return new SyndError(
        'volume-missing',
        `${said} is no directory; expected the directory to keep equal. Set SYND_VOLUME to a directory`,
        { cause: error },
      )
    case 'ENOSYS':
      return new SyndError(
        'volume-unreadable',
        `${said} cannot be opened safely because /proc/self/fd is missing; mount /proc`,
        { cause: error },
      )
    default:
      return new SyndError(
        'volume-unreadable',
        `${said} cannot be read by ${whoami()} (${errno}); give that user the right to read, write and enter it, or run Synd as its owner`,
        { cause: error },
      )
  }
}

/** Why Synd cannot change the volume, as a SyndError `volume-unwritable`; what is no DiskError comes back as it is. */
export function unwritable(error: unknown, path: string): unknown {
  if (!(error instanceof DiskError)) return error
  const said = `SYND_VOLUME: ${JSON.stringify(path)}`
  const remedy = {
    EROFS: 'is mounted read-only; mount it for writing (":rw")',
    ENOSPC: 'is full; Synd needs room for its own directory .synd',
    EDQUOT: 'is over its quota; Synd needs room for its own directory .synd',
    ENOTDIR: `has something named ${ownDirectory} (or in it) that is no directory; Synd keeps its own things there: move it away`,
  }[error.errno]
  const asWho = `cannot be written by ${whoami()} (${error.errno}); expected a directory which that user may change: make it its owner, or run Synd as the owner`
  return new SyndError('volume-unwritable', `${said} ${remedy ?? asWho}`, { cause: error })
}

/**
 * Whether names in the root can be changed, found without making one that a crash would leave behind: the kernel looks at the right
 * to remove `.synd` before it sees that it is not empty.
 */
function demandChangeableNames(disk: Disk): void {
  if (disk.lstat(holdDirectory) === null) return
  try {
    disk.rmdir(ownDirectory)
  } catch (error) {
    if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error
  }
}

function whoami(): string {
  return `uid ${process.getuid?.() ?? '?'}`
}
