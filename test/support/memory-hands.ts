import type { Hands } from './hands.ts'
import { contentOf, writeInto, type Inode } from './memory-inode.ts'
import type { MemoryDisk } from './memory-disk.ts'

const people = { uid: 1000, gid: 1000 }

/** Hands on a memory disk, past the hooks and modes that bind the processes; they outlive every crash. */
export function memoryHands(disk: MemoryDisk): Hands {
  const put = (path: string, content: string, start: number): void => {
    const tree = disk.tree()
    const inode = tree.find(path) ?? tree.make(path, { kind: 'file', mode: 0o644, owner: people })
    if (inode.kind !== 'file') throw new Error(`${path} is a ${inode.kind}`)
    inode.sizeBytes = start < 0 ? inode.sizeBytes : start
    writeInto(inode, inode.sizeBytes, Buffer.from(content, 'latin1'))
    tree.touched(path, inode, true)
  }
  const hands: Hands = {
    write: (path, content) => put(path, content, 0),
    append: (path, content) => put(path, content, -1),
    replace: (path, content) => {
      hands.write('~hands', content)
      hands.rename('~hands', path)
    },
    mkdir: (path) => void disk.tree().make(path, { kind: 'directory', mode: 0o755, owner: people }),
    remove: (path) => {
      const tree = disk.tree()
      const inode = tree.find(path)
      if (inode === null) return
      for (const name of inode.entries.keys()) hands.remove(`${path}/${name}`)
      if (inode.kind === 'directory') tree.rmdir(path)
      else tree.unlink(path)
    },
    rename: (from, to) => disk.tree().rename(from, to),
    link: (from, to) => disk.tree().link(from, to),
    symlink: (target, path) =>
      void disk.tree().make(path, { kind: 'symlink', mode: 0o777, target, owner: people }),
    chmod: (path, mode) => {
      const inode = disk.tree().get(path)
      inode.mode = mode
      disk.tree().touched(path, inode, false)
    },
    setMtime: (path, mtimeUs) => {
      const inode = disk.tree().get(path)
      inode.mtimeNs = BigInt(mtimeUs) * 1000n
      disk.tree().touched(path, inode, false)
    },
    read: (path) => {
      const inode = disk.tree().find(path)
      return inode?.kind === 'file' ? textOf(inode) : null
    },
    tree: (directory = '') => {
      const found = new Map<string, string>()
      collect(disk.tree().directory(directory), directory, found)
      return found
    },
  }
  return hands
}

function collect(directory: Inode, path: string, found: Map<string, string>): void {
  const names = [...directory.entries.keys()].toSorted((a, b) => (a < b ? -1 : 1))
  for (const name of names) {
    const childPath = path === '' ? name : `${path}/${name}`
    const child = directory.entries.get(name)
    if (child === undefined || childPath === '.synd') continue
    const mode = child.mode.toString(8)
    if (child.kind === 'directory') {
      found.set(childPath, `d ${mode}`)
      collect(child, childPath, found)
    } else if (child.kind === 'symlink') found.set(childPath, `l ${child.target}`)
    else found.set(childPath, `f ${mode} ${textOf(child)}`)
  }
}

function textOf(inode: Inode): string {
  return Buffer.from(contentOf(inode)).toString('latin1')
}
