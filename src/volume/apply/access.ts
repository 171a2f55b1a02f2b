import { DiskError, errnoOf, type Disk, type DiskPath } from '../disk.ts'
import { grantDirectory, type Ids } from '../ground/layout.ts'
import { removeIfThere } from '../staging/stage.ts'
import { directoryOf } from './context.ts'

/** What lifting modes takes. */
interface Granting {
  readonly disk: Disk
  readonly ids: Ids
}

/** A directory's mode as it is to be again; noted on the disk under `note` before it is lifted. */
interface Grant {
  readonly directory: DiskPath
  readonly mode: number
  readonly note: DiskPath
}

/**
 * Makes one attempt at changing what is at `path`; where a mode forbids it (EACCES: a read-only directory, for who is not root),
 * another one with u+rwx on the directories above, whose modes are put back at once. An attempt that fails with EACCES must have done
 * nothing yet. Each lifted mode is noted in `.synd/granted` first, for `restoreGrants` after a crash.
 */
export function withAccess<T>(on: Granting, path: DiskPath, attempt: () => T): T {
  try {
    return on.disk.together(attempt)
  } catch (error) {
    if (errnoOf(error) !== 'EACCES') throw error
    return withGrants(on, path, attempt)
  }
}

/** The same without a first attempt: with u+rwx on the directories above `path`. */
export function withGrants<T>({ disk, ids }: Granting, path: DiskPath, attempt: () => T): T {
  const grants = grantAbove(disk, ids, path)
  try {
    return attempt()
  } finally {
    for (const grant of grants.toReversed()) putBack(disk, grant)
  }
}

/** At start: puts back the modes that a former life had lifted when it ended. */
export function restoreGrants(disk: Disk): void {
  for (const name of disk.list(grantDirectory)) {
    const note = `${grantDirectory}/${name}`
    const mode = Number.parseInt(name.split('-')[1] ?? '', 8)
    try {
      const directory = disk.readlink(note)
      if (disk.lstat(directory)?.mode === lifted(mode)) disk.chmod(directory, mode)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
    removeIfThere(disk, note)
  }
}

function grantAbove(disk: Disk, ids: Ids, path: DiskPath): Grant[] {
  const above: DiskPath[] = []
  for (let at = directoryOf(path); at !== ''; at = directoryOf(at)) above.push(at)
  const grants: Grant[] = []
  for (const directory of above.toReversed()) {
    const stat = disk.lstat(directory)
    if (stat?.kind !== 'directory' || stat.mode === lifted(stat.mode)) continue
    const note = `${grantDirectory}/${ids.id64()}-${stat.mode.toString(8)}`
    disk.symlink(directory, note)
    try {
      disk.chmod(directory, lifted(stat.mode))
    } catch (error) {
      // Not ours to lift: the second attempt says what is wrong.
      removeIfThere(disk, note)
      if (!(error instanceof DiskError)) throw error
      break
    }
    grants.push({ directory, mode: stat.mode, note })
  }
  return grants
}

function putBack(disk: Disk, { directory, mode, note }: Grant): void {
  try {
    disk.chmod(directory, mode)
  } catch (error) {
    // It was moved or removed by somebody meanwhile.
    if (!(error instanceof DiskError)) throw error
  }
  removeIfThere(disk, note)
}

function lifted(mode: number): number {
  return mode | 0o700
}
