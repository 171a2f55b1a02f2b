import { DiskError, type DiskPath } from '../../src/volume/disk.ts'
import type { Inode } from './memory-inode.ts'
import type { MemoryTree } from './memory-tree.ts'

/** What the owner of everything may do where modes bind; each throws EACCES for what they forbid. */
export interface Access {
  /** Every directory above `path` can be searched. */
  search(path: DiskPath): void
  /** Names in the directory that holds `path` can be changed. */
  alter(path: DiskPath): void
  /** The inode at `path` has these bits. */
  demand(inode: Inode, bits: number, path: DiskPath): void
}

/** Modes that bind. */
export function ownerAccess(tree: MemoryTree): Access {
  const demand = (inode: Inode, bits: number, path: DiskPath): void => {
    if ((inode.mode & bits) !== bits) throw new DiskError('EACCES', `${path}: EACCES`)
  }
  const search = (path: DiskPath): void => {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const directory = tree.find(path.slice(0, slash))
      if (directory?.kind !== 'directory') return
      demand(directory, 0o100, path)
    }
  }
  const alter = (path: DiskPath): void => {
    search(path)
    const slash = path.lastIndexOf('/')
    const directory = slash < 0 ? tree.root : tree.find(path.slice(0, slash))
    if (directory?.kind === 'directory') demand(directory, 0o300, path)
  }
  return { search, alter, demand }
}

/** What root may do: everything. */
export const rootAccess: Access = {
  search: () => undefined,
  alter: () => undefined,
  demand: () => undefined,
}
