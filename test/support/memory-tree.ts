import { DiskError, type DiskPath, type Owner } from '../../src/volume/disk.ts'
import type { Inode } from './memory-inode.ts'
import type { EntryChange, Journal } from './memory-journal.ts'

/** What all views of one memory disk share. */
export interface TreeCore {
  readonly journal: Journal
  /** Never twice the same. */
  nowNs(): bigint
  newInode(made: {
    kind: Inode['kind']
    mode: number
    target?: string
    parent: Inode
    owner: Owner
  }): Inode
  /** The inode has no name any more. */
  freed(inode: Inode): void
  changed(path: DiskPath): void
}

/** POSIX calls on inodes below one root; follows no symlink in any component. */
export class MemoryTree {
  readonly #core: TreeCore
  readonly root: Inode

  constructor({ core, root }: { readonly core: TreeCore; readonly root: Inode }) {
    this.#core = core
    this.root = root
  }

  /** Throws ENOENT or ENOTDIR when the path leads nowhere. */
  get(path: DiskPath): Inode {
    if (path === '') return this.root
    const { directory, name } = this.#place(path)
    const inode = directory.entries.get(name)
    if (inode === undefined) throw new DiskError('ENOENT', `${path}: ENOENT`)
    return inode
  }

  find(path: DiskPath): Inode | null {
    try {
      return this.get(path)
    } catch (error) {
      if (error instanceof DiskError && (error.errno === 'ENOENT' || error.errno === 'ENOTDIR')) {
        return null
      }
      throw error
    }
  }

  directory(path: DiskPath): Inode {
    const inode = this.get(path)
    if (inode.kind !== 'directory') throw new DiskError('ENOTDIR', `${path}: ENOTDIR`)
    return inode
  }

  file(path: DiskPath): Inode {
    const inode = this.get(path)
    if (inode.kind === 'symlink') throw new DiskError('ELOOP', `${path}: ELOOP`)
    if (inode.kind === 'directory') throw new DiskError('EISDIR', `${path}: EISDIR`)
    return inode
  }

  make(
    path: DiskPath,
    made: { kind: Inode['kind']; mode: number; target?: string; owner: Owner },
  ): Inode {
    const { directory, name } = this.#vacancy(path)
    const inode = this.#core.newInode({ ...made, parent: directory })
    this.#change([{ directory, name, inode }], [inode])
    this.#core.changed(path)
    return inode
  }

  link(from: DiskPath, to: DiskPath): void {
    const inode = this.get(from)
    if (inode.kind === 'directory') throw new DiskError('EPERM', `${from}: EPERM`)
    const { directory, name } = this.#vacancy(to)
    if (inode.mount !== directory.mount) throw new DiskError('EXDEV', `${to}: EXDEV`)
    this.#change([{ directory, name, inode }], [inode])
    inode.ctimeNs = this.#core.nowNs()
    this.#core.changed(to)
  }

  unlink(path: DiskPath): void {
    const inode = this.get(path)
    if (inode.kind === 'directory') throw new DiskError('EISDIR', `${path}: EISDIR`)
    const { directory, name } = this.#place(path)
    this.#change([{ directory, name, inode: null }], [inode])
    inode.ctimeNs = this.#core.nowNs()
    this.#core.changed(path)
  }

  rmdir(path: DiskPath): void {
    const inode = this.directory(path)
    const { directory, name } = this.#place(path)
    if (inode.entries.size > 0) throw new DiskError('ENOTEMPTY', `${path}: ENOTEMPTY`)
    if (inode.mount !== directory.mount) throw new DiskError('EBUSY', `${path}: EBUSY`)
    this.#change([{ directory, name, inode: null }], [inode])
    this.#core.changed(path)
  }

  rename(from: DiskPath, to: DiskPath): void {
    const inode = this.get(from)
    const source = this.#place(from)
    const { directory, name } = this.#place(to)
    if (inode.mount !== directory.mount || inode.mount !== source.directory.mount) {
      throw new DiskError('EXDEV', `${to}: EXDEV`)
    }
    if (to.startsWith(`${from}/`)) throw new DiskError('EINVAL', `${to}: EINVAL`)
    const there = directory.entries.get(name)
    if (there === inode) return
    if (there !== undefined) refuseReplacing(inode, there, to)
    this.#change(
      [
        { directory: source.directory, name: source.name, inode: null },
        { directory, name, inode },
      ],
      there === undefined ? [inode] : [inode, there],
    )
    inode.ctimeNs = this.#core.nowNs()
    this.#core.changed(from)
    this.#core.changed(to)
  }

  /** Notes that bytes or attributes of what `path` led to were changed. */
  touched(path: DiskPath, inode: Inode, isContent: boolean): void {
    inode.ctimeNs = this.#core.nowNs()
    if (isContent) inode.mtimeNs = inode.ctimeNs
    this.#core.changed(path)
  }

  /** fsync(2) of a directory. */
  syncDirectory(directory: Inode): void {
    this.#core.journal.syncDirectory(directory)
  }

  #vacancy(path: DiskPath): { directory: Inode; name: string } {
    const place = this.#place(path)
    if (place.directory.entries.has(place.name)) throw new DiskError('EEXIST', `${path}: EEXIST`)
    return place
  }

  #place(path: DiskPath): { directory: Inode; name: string } {
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    if (name.length > 255) throw new DiskError('ENAMETOOLONG', `${path}: ENAMETOOLONG`)
    if (name === '') throw new DiskError('EBUSY', 'the root has no name')
    return { directory: slash < 0 ? this.root : this.directory(path.slice(0, slash)), name }
  }

  #change(changes: readonly EntryChange[], inodes: readonly Inode[]): void {
    for (const { directory, name, inode } of changes) {
      const before = directory.entries.get(name)
      if (before !== undefined) before.links--
      if (inode === null) directory.entries.delete(name)
      else {
        directory.entries.set(name, inode)
        inode.links++
      }
      directory.mtimeNs = directory.ctimeNs = this.#core.nowNs()
    }
    this.#core.journal.record(changes, inodes)
    for (const inode of inodes) if (inode.links === 0) this.#core.freed(inode)
  }
}

function refuseReplacing(inode: Inode, there: Inode, to: DiskPath): void {
  const isDirectory = inode.kind === 'directory'
  if (isDirectory !== (there.kind === 'directory')) {
    const errno = isDirectory ? 'ENOTDIR' : 'EISDIR'
    throw new DiskError(errno, `${to}: ${errno}`)
  }
  if (isDirectory && there.entries.size > 0) throw new DiskError('ENOTEMPTY', `${to}: ENOTEMPTY`)
}
