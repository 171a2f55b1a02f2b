import { reservedName } from '../../core/relative-path.ts'
import { errnoOf, type Disk, type DiskPath } from '../disk.ts'

/** Synd's own directory in the volume's root. */
export const ownDirectory: DiskPath = reservedName

/** Files that are being received; nothing in it outlives the process. */
export const stagingDirectory: DiskPath = `${ownDirectory}/staging`

/** Files that were moved out of the way of others, until the index says what became of them (rule 22). */
export const holdDirectory: DiskPath = `${ownDirectory}/hold`

/** Directories whose mode is lifted for the moment (apply/access.ts). */
export const grantDirectory: DiskPath = `${ownDirectory}/granted`

/** What else Synd itself names in `.synd`; `quarantine` also with a number (quarantine.ts). */
const ownNames = /^(?:lock|volume-id|\.gitignore)(?:\.new)?$|^quarantine(?:\.\d+)?$/

/** Whether Synd has a use of its own for what a path in `.synd` names first: nobody else's things would stay there. */
export function isOwnUse(pathInOwnDirectory: string): boolean {
  const [name = ''] = pathInOwnDirectory.split('/', 1)
  const swept = [stagingDirectory, holdDirectory, grantDirectory]
  return swept.includes(`${ownDirectory}/${name}`) || ownNames.test(name)
}

/** Gives names that no two files of a volume share; 16 hex digits. */
export interface Ids {
  id64(): string
}

/** Makes what of `.synd` is missing; DiskErrors come through, ENOTDIR when something else has one of the names. */
export async function makeLayout(disk: Disk): Promise<void> {
  const isNew = makeDirectory(disk, ownDirectory)
  for (const directory of [stagingDirectory, holdDirectory, grantDirectory]) {
    makeDirectory(disk, directory)
  }
  // Without it a power loss takes all of it, and what the index knows its volume by.
  if (isNew) await disk.syncDirectory('')
  await writeOnce(disk, { path: `${ownDirectory}/.gitignore`, content: '*\n' })
}

/** A small file that is either not there or whole, also after a power loss; one that is there stays. */
export async function writeOnce(
  disk: Disk,
  { path, content }: { readonly path: DiskPath; readonly content: string },
): Promise<void> {
  if (disk.lstat(path) !== null) return
  const draft = `${path}.new`
  if (disk.lstat(draft) !== null) disk.unlink(draft)
  const file = disk.create(draft, 0o600)
  try {
    await file.write(Buffer.from(content, 'latin1'))
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(draft, path)
  await disk.syncDirectory(path.slice(0, path.lastIndexOf('/')))
}

/** True when it was not there. */
function makeDirectory(disk: Disk, path: DiskPath): boolean {
  let isNew = true
  try {
    disk.mkdir(path, 0o700)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    isNew = false
  }
  // Not what was there before, for it may be a symlink: a list fails with ENOTDIR then.
  disk.list(path)
  if (((disk.lstat(path)?.mode ?? 0) & 0o777) === 0o700) return isNew
  try {
    disk.chmod(path, 0o700)
  } catch (error) {
    // Somebody else's, or on a file system without modes: what matters is that it can be used.
    if (errnoOf(error) !== 'EPERM') throw error
  }
  return isNew
}
