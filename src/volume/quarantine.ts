import type { Loser } from '../core/conflict.ts'
import type { ApplyContext } from './apply/context.ts'
import { directoryOf } from './apply/context.ts'
import { DiskError, errnoOf, type Disk, type DiskPath } from './disk.ts'
import { ownDirectory } from './ground/layout.ts'
import { isNoLink } from './held.ts'
import { stageError } from './staging/stage.ts'

/** Where things that lost their names are put aside; further ones where a name in the first is taken by other content. */
const directories: readonly DiskPath[] = [
  `${ownDirectory}/quarantine`,
  ...Array.from({ length: 99 }, (_, n) => `${ownDirectory}/quarantine.${n + 1}`),
]

/**
 * Puts a finished stage (or makes a link) under the loser's path in quarantine (rule 9). The stage may be discarded then. False: every place
 * that it could have is taken. Durable with the next sync of directories. Throws SyndError `no-space` or `io`.
 */
export async function putAside(
  context: Pick<ApplyContext, 'disk' | 'touched'>,
  { loser, staged }: { readonly loser: Loser; readonly staged: DiskPath | null },
): Promise<boolean> {
  for (const directory of directories) {
    const to = `${directory}/${loser.path}`
    try {
      makeDirectories(context, directoryOf(to))
      place(context.disk, { loser, staged, to })
      context.touched.add(directoryOf(to))
      return true
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === 'EEXIST' && (await holds(context.disk, to, loser))) return true
      if (errno !== 'EEXIST' && errno !== 'ENOTDIR') throw stageError(error)
    }
  }
  return false
}

/** How many files and links are in quarantine. */
export function countAside(disk: Disk): number {
  let count = 0
  const pending: DiskPath[] = directories.filter((path) => disk.lstat(path)?.kind === 'directory')
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const names = disk.list(next)
    for (const [i, stat] of disk.lstatEach(next, names).entries()) {
      if (stat === null || stat instanceof DiskError) continue
      if (stat.kind === 'directory') pending.push(`${next}/${names[i]}`)
      else count++
    }
  }
  return count
}

function makeDirectories(
  { disk, touched }: Pick<ApplyContext, 'disk' | 'touched'>,
  path: DiskPath,
): void {
  const stat = disk.lstat(path)
  if (stat?.kind === 'directory') return
  if (stat !== null) throw new DiskError('ENOTDIR', `${path} is a ${stat.kind}`)
  makeDirectories({ disk, touched }, directoryOf(path))
  disk.mkdir(path, 0o700)
  touched.add(directoryOf(path)).add(path)
}

/** Takes no name that something has. */
function place(
  disk: Disk,
  { loser, staged, to }: { loser: Loser; staged: DiskPath | null; to: DiskPath },
): void {
  if (loser.kind === 'symlink') {
    disk.symlink(loser.target, to)
    disk.setMtime(to, loser.mtimeUs)
    return
  }
  if (staged === null) throw new Error('a file is put aside without its bytes')
  try {
    disk.link(staged, to)
  } catch (error) {
    if (!isNoLink(error)) throw error
    if (disk.lstat(to) !== null) throw new DiskError('EEXIST', `${to} is taken`)
    disk.rename(staged, to)
  }
}

async function holds(disk: Disk, path: DiskPath, loser: Loser): Promise<boolean> {
  const stat = disk.lstat(path)
  if (stat === null || stat.kind !== loser.kind) return false
  if (loser.kind === 'symlink') return disk.readlink(path) === loser.target
  const file = disk.openForReading(path)
  try {
    return (await file.sha256()).digest === loser.digest
  } finally {
    file.close()
  }
}
