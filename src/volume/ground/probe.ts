import { errnoOf, type Disk } from '../disk.ts'
import { stagingDirectory, type Ids } from './layout.ts'

/** What the volume's file system keeps of what is asked of it (rule 13). */
export interface Keeps {
  readonly modes: boolean
  readonly symlinks: boolean
}

/** Tries modes and a symlink in staging; DiskErrors other than "not here" come through. */
export function probeKeeps(disk: Disk, ids: Ids): Keeps {
  return { modes: keepsModes(disk, ids), symlinks: keepsSymlinks(disk, ids) }
}

function keepsModes(disk: Disk, ids: Ids): boolean {
  const path = `${stagingDirectory}/${ids.id64()}`
  disk.create(path, 0o600).close()
  try {
    return [0o640, 0o751].every((mode) => {
      disk.chmod(path, mode)
      return disk.lstat(path)?.mode === mode
    })
  } catch (error) {
    if (isNotHere(error)) return false
    throw error
  } finally {
    disk.unlink(path)
  }
}

function keepsSymlinks(disk: Disk, ids: Ids): boolean {
  const path = `${stagingDirectory}/${ids.id64()}`
  const target = 'no/such \xff place'
  try {
    disk.symlink(target, path)
  } catch (error) {
    if (isNotHere(error)) return false
    throw error
  }
  const isKept = disk.lstat(path)?.kind === 'symlink' && disk.readlink(path) === target
  disk.unlink(path)
  return isKept
}

function isNotHere(error: unknown): boolean {
  const errno = errnoOf(error)
  return errno === 'EPERM' || errno === 'ENOTSUP' || errno === 'EOPNOTSUPP' || errno === 'ENOSYS'
}
