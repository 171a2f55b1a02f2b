import type { DiskPath, Owner } from '../../src/volume/disk.ts'
import { AttachedDisk, type AttachOptions } from './memory-disk-attached.ts'
import { saveInode, type Inode } from './memory-inode.ts'
import { Journal, reachable } from './memory-journal.ts'
import { MemoryTree, type TreeCore } from './memory-tree.ts'

const freshSaved = (): Inode['saved'] => ({
  entries: new Map(),
  bytes: null,
  mode: 0,
  owner: { uid: 1000, gid: 1000 },
  mtimeNs: 0n,
  ctimeNs: 0n,
})

/**
 * A disk in memory for the simulation: inodes, hard links, mounts, times from a clock that is passed in, and power losses. It is what
 * stays when a process ends; each life of a process works through an `attach()` of its own, and people through `memoryHands`.
 */
export class MemoryDisk {
  readonly #nowMs: () => number
  readonly #listeners = new Set<(path: DiskPath) => void>()
  readonly #attached = new Set<AttachedDisk>()
  #root: Inode
  #lastNs = 0n
  #nextNumber = 2n
  #nextMount = 1
  #freed: Inode[] = []
  #isRootThere = true

  /** `nowMs` is the wall clock; times on the disk never repeat, however it stands still or jumps. */
  constructor({ nowMs }: { readonly nowMs: () => number }) {
    this.#nowMs = nowMs
    this.#root = this.#newRoot()
  }

  /** The disk as one life of a process sees it: its root is the directory that is the volume now. */
  attach(options: AttachOptions = {}): AttachedDisk {
    const disk = new AttachedDisk({
      tree: new MemoryTree({ core: this.#core, root: this.#root }),
      lookRoot: () => (this.#isRootThere ? this.#root : null),
      options,
    })
    this.#attached.add(disk)
    return disk
  }

  /** The tree as it is now, past all hooks and lives. */
  tree(): MemoryTree {
    return new MemoryTree({ core: this.#core, root: this.#root })
  }

  /** Calls `listener` with the path of every change, by whomever, until the returned function is called. */
  onChange(listener: (path: DiskPath) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The processes end (kill -9): nothing is lost, and what is still attached does nothing any more. */
  kill(): void {
    for (const disk of this.#attached) disk.die()
    this.#attached.clear()
  }

  /** Power loss: the processes end and what was not synced is lost, all or some of it by `random` (0 <= x < 1). */
  crash(random: () => number): void {
    this.kill()
    this.#core.journal.lose(this.#root, random)
    // What was freed may be back.
    this.#freed = []
  }

  /** Everything that was done so far is on the disk. */
  syncAll(): void {
    this.#core.journal.syncAll(this.#root)
  }

  /** What people have who sync what they write: bytes and name of `path` are on the disk, and the directories above it. */
  sync(path: DiskPath): void {
    const tree = this.tree()
    saveInode(tree.get(path))
    for (let at = path; at !== '';) {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')))
      tree.syncDirectory(tree.directory(at))
    }
  }

  /** What is below `path` becomes another mount; with a device number of its own unless it is a bind mount. */
  mount(path: DiskPath, { isBind = false }: { readonly isBind?: boolean } = {}): void {
    const mount = this.#nextMount++
    for (const inode of reachable(this.tree().directory(path))) {
      inode.mount = mount
      if (!isBind) inode.device = BigInt(mount) + 100n
    }
  }

  /** The volume's path is gone, or there again. */
  setRootThere(isThere: boolean): void {
    this.#isRootThere = isThere
  }

  /** Another, empty directory takes the volume's path. */
  replaceRoot(): void {
    this.#root = this.#newRoot()
  }

  /**
   * A copy of the disk as it is: a snapshot by default (the same inodes, and the same that would be lost), or `isCopied` file by file
   * (`cp -a`, rsync): other inodes and birth times.
   */
  clone({
    nowMs = this.#nowMs,
    isCopied = false,
  }: { readonly nowMs?: () => number; readonly isCopied?: boolean } = {}): MemoryDisk {
    const clone = new MemoryDisk({ nowMs })
    const copies = new Map<Inode, Inode>()
    const copyOf = (inode: Inode): Inode => {
      const known = copies.get(inode)
      if (known !== undefined) return known
      const copy: Inode = { ...inode, buffer: inode.buffer.slice(), saved: { ...inode.saved } }
      copies.set(inode, copy)
      if (isCopied) {
        copy.number = clone.#nextNumber++
        copy.birthtimeNs = copy.ctimeNs = clone.#nowNs()
      }
      copy.entries = copyEntries(inode.entries, copyOf)
      copy.saved.entries = copyEntries(inode.saved.entries, copyOf)
      return copy
    }
    if (!isCopied) clone.#nextNumber = this.#nextNumber
    clone.#lastNs = clone.#lastNs > this.#lastNs ? clone.#lastNs : this.#lastNs
    clone.#nextMount = this.#nextMount
    if (!isCopied) clone.#freed = this.#freed.map(copyOf)
    clone.#root = copyOf(this.#root)
    clone.#core.journal = this.#core.journal.clone(copyOf)
    if (isCopied) clone.syncAll()
    return clone
  }

  readonly #core: TreeCore & { journal: Journal } = {
    journal: new Journal(),
    nowNs: () => this.#nowNs(),
    newInode: (made) => this.#newInode(made),
    freed: (inode) => void this.#freed.push(inode),
    changed: (path) => {
      for (const listener of this.#listeners) listener(path)
    },
  }

  #newRoot(): Inode {
    return this.#newInode({
      kind: 'directory',
      mode: 0o755,
      owner: { uid: 1000, gid: 1000 },
      parent: null,
    })
  }

  #newInode(made: {
    kind: Inode['kind']
    mode: number
    target?: string
    owner: Owner
    parent: Inode | null
  }): Inode {
    const now = this.#nowNs()
    const { kind, mode, owner, target = '', parent } = made
    return {
      number: this.#freeNumber(),
      device: parent?.device ?? 100n,
      mount: parent?.mount ?? 0,
      kind,
      // A set-gid directory hands it on (inode_init_owner of the kernel).
      mode: kind === 'directory' && parent !== null ? mode | (parent.mode & 0o2000) : mode,
      owner,
      mtimeNs: now,
      ctimeNs: now,
      birthtimeNs: now,
      links: 0,
      buffer: new Uint8Array(),
      sizeBytes: 0,
      target,
      entries: new Map(),
      saved: { ...freshSaved(), mode, owner, mtimeNs: now, ctimeNs: now },
    }
  }

  /** The lowest number that was freed for good, as ext4 does: the same number soon means another file. */
  #freeNumber(): bigint {
    const free = this.#freed.filter((inode) => !this.#core.journal.mentions(inode))
    const lowest = free.toSorted((a, b) => (a.number < b.number ? -1 : 1))[0]
    if (lowest === undefined) return this.#nextNumber++
    this.#freed = this.#freed.filter((inode) => inode !== lowest)
    return lowest.number
  }

  #nowNs(): bigint {
    const now = BigInt(Math.floor(this.#nowMs())) * 1_000_000n
    this.#lastNs = now > this.#lastNs ? now : this.#lastNs + 1000n
    return this.#lastNs
  }
}

function copyEntries(
  entries: ReadonlyMap<string, Inode>,
  copyOf: (inode: Inode) => Inode,
): Map<string, Inode> {
  return new Map([...entries].map(([name, inode]) => [name, copyOf(inode)]))
}
