import {
  DiskError,
  type Disk,
  type DiskPath,
  type DiskStat,
  type Owner,
  type ReadableFile,
  type WritableFile,
} from '../../src/volume/disk.ts'
import { inLanes } from '../../src/volume/lanes.ts'
import { sha256 } from '../../src/volume/sha256.ts'
import { ownerAccess, rootAccess, type Access } from './memory-access.ts'
import { contentOf, saveInode, statOf, writeInto, type Inode } from './memory-inode.ts'
import type { MemoryTree } from './memory-tree.ts'

/** One call on the disk; `to` of link, rename and copy. Those that change something are effects: what a crash may come between. */
export interface DiskCall {
  readonly operation: DiskOperation
  readonly path: DiskPath
  readonly to: DiskPath | null
}

export const diskEffects = [
  'mkdir',
  'symlink',
  'link',
  'rename',
  'unlink',
  'rmdir',
  'chmod',
  'utimes',
  'chown',
  'create',
  'write',
  'copy',
  'sync-file',
  'sync-directory',
] as const

export type DiskEffect = (typeof diskEffects)[number]
export type DiskOperation = DiskEffect | 'stat-root' | 'lstat' | 'list' | 'readlink' | 'read'

export interface AttachOptions {
  /** Called before and after each effect; what it throws ends this life of the process: the disk does nothing any more. */
  readonly effect?: (call: DiskCall & { readonly when: 'before' | 'after' }) => void
  /** The errno with which a call is refused, or null. */
  readonly refuse?: (call: DiskCall) => string | null
  /** Awaited before each asynchronous call does anything, for schedules of the simulation's own. */
  readonly pause?: (call: DiskCall) => Promise<void>
  /** Modes bind this process as they bind the owner of everything; without it the process is root. */
  readonly enforcesModes?: boolean
}

/** Nothing happens on a disk whose process has ended. */
export class ProcessEnded extends Error {
  override readonly name = 'ProcessEnded'
}

/** A memory disk as one life of a process sees it: the port that the Volume works on. */
export class AttachedDisk implements Disk {
  readonly #tree: MemoryTree
  readonly #lookRoot: () => Inode | null
  readonly #options: AttachOptions
  readonly #access: Access
  #isDead = false

  constructor({
    tree,
    lookRoot,
    options,
  }: {
    readonly tree: MemoryTree
    readonly lookRoot: () => Inode | null
    readonly options: AttachOptions
  }) {
    this.#tree = tree
    this.#lookRoot = lookRoot
    this.#options = options
    this.#access = options.enforcesModes === true ? ownerAccess(tree) : rootAccess
  }

  /** The process has ended: every call throws from now on, and changes nothing. */
  die(): void {
    this.#isDead = true
  }

  together<T>(calls: () => T): T {
    return calls()
  }

  lookRoot(): DiskStat {
    return this.#ask('stat-root', '', () => {
      const root = this.#lookRoot()
      if (root === null) throw new DiskError('ENOENT', 'stat: ENOENT')
      return statOf(root)
    })
  }

  lstat(path: DiskPath): DiskStat | null {
    return this.#ask('lstat', path, () => {
      this.#access.search(path)
      const inode = this.#tree.find(path)
      return inode === null ? null : statOf(inode)
    })
  }

  lstatEach(
    directory: DiskPath,
    names: readonly string[],
  ): readonly (DiskStat | DiskError | null)[] {
    return names.map((name) => {
      try {
        return this.lstat(directory === '' ? name : `${directory}/${name}`)
      } catch (error) {
        if (error instanceof DiskError) return error
        throw error
      }
    })
  }

  list(directory: DiskPath): readonly string[] {
    return this.#ask('list', directory, () => {
      this.#access.search(directory)
      const inode = this.#tree.directory(directory)
      this.#access.demand(inode, 0o400, directory)
      return [...inode.entries.keys()]
    })
  }

  readlink(path: DiskPath): string {
    return this.#ask('readlink', path, () => {
      this.#access.search(path)
      const inode = this.#tree.get(path)
      if (inode.kind !== 'symlink') throw new DiskError('EINVAL', 'readlink: EINVAL')
      return inode.target
    })
  }

  mkdir(path: DiskPath, mode: number): void {
    this.#effect('mkdir', path, null, () => {
      this.#access.alter(path)
      this.#tree.make(path, { kind: 'directory', mode, owner: processOwner })
    })
  }

  symlink(target: string, path: DiskPath): void {
    this.#effect('symlink', path, null, () => {
      this.#access.alter(path)
      this.#tree.make(path, { kind: 'symlink', mode: 0o777, target, owner: processOwner })
    })
  }

  link(from: DiskPath, to: DiskPath): void {
    this.#effect('link', from, to, () => {
      this.#access.search(from)
      this.#access.alter(to)
      this.#tree.link(from, to)
    })
  }

  rename(from: DiskPath, to: DiskPath): void {
    this.#effect('rename', from, to, () => {
      this.#access.alter(from)
      this.#access.alter(to)
      this.#tree.rename(from, to)
    })
  }

  unlink(path: DiskPath): void {
    this.#effect('unlink', path, null, () => {
      this.#access.alter(path)
      this.#tree.unlink(path)
    })
  }

  async unlinkEach(directory: DiskPath, names: readonly string[]): Promise<void> {
    await inLanes(names, async (name) => {
      const path = `${directory}/${name}`
      await this.#options.pause?.({ operation: 'unlink', path, to: null })
      this.unlink(path)
    })
  }

  rmdir(path: DiskPath): void {
    this.#effect('rmdir', path, null, () => {
      this.#access.alter(path)
      this.#tree.rmdir(path)
    })
  }

  chmod(path: DiskPath, mode: number): void {
    this.#access.search(path)
    const inode = this.#tree.get(path)
    if (inode.kind === 'symlink') throw new DiskError('ENOTSUP', 'chmod: ENOTSUP')
    this.#effect('chmod', path, null, () => this.#setMode(path, inode, mode))
  }

  setMtime(path: DiskPath, mtimeUs: number): void {
    this.#effect('utimes', path, null, () => {
      this.#access.search(path)
      this.#setMtime(path, this.#tree.get(path), mtimeUs)
    })
  }

  chown(path: DiskPath, owner: Owner): void {
    this.#effect('chown', path, null, () => {
      this.#access.search(path)
      const inode = this.#tree.get(path)
      inode.owner = owner
      this.#tree.touched(path, inode, false)
    })
  }

  create(path: DiskPath, mode: number): WritableFile {
    return this.#effect('create', path, null, () => {
      this.#access.alter(path)
      const made = { kind: 'file', mode, owner: processOwner } as const
      return this.#writable(path, this.#tree.make(path, made))
    })
  }

  async createMeanwhile(path: DiskPath, mode: number): Promise<WritableFile> {
    await this.#options.pause?.({ operation: 'create', path, to: null })
    return this.create(path, mode)
  }

  openForWriting(path: DiskPath): WritableFile {
    this.#access.search(path)
    const inode = this.#tree.file(path)
    this.#access.demand(inode, 0o200, path)
    return this.#writable(path, inode)
  }

  openForReading(path: DiskPath): ReadableFile {
    const inode = this.#ask('read', path, () => {
      this.#access.search(path)
      const inode = this.#tree.file(path)
      this.#access.demand(inode, 0o400, path)
      return inode
    })
    const read = async <T>(get: () => T): Promise<T> => {
      await this.#options.pause?.({ operation: 'read', path, to: null })
      return this.#ask('read', path, get)
    }
    return {
      stat: () => statOf(inode),
      read: (position, maxBytes) =>
        read(() => contentOf(inode).slice(position, position + maxBytes)),
      sha256: () => read(() => ({ digest: sha256(contentOf(inode)), sizeBytes: inode.sizeBytes })),
      close: () => undefined,
    }
  }

  async copy(from: DiskPath, to: DiskPath): Promise<void> {
    await this.#options.pause?.({ operation: 'copy', path: from, to })
    this.#effect('copy', from, to, () => {
      this.#access.search(from)
      this.#access.alter(to)
      const source = this.#tree.file(from)
      this.#access.demand(source, 0o400, from)
      const made = { kind: 'file', mode: source.mode, owner: processOwner } as const
      writeInto(this.#tree.make(to, made), 0, contentOf(source))
    })
  }

  async syncFile(path: DiskPath): Promise<void> {
    await this.#options.pause?.({ operation: 'sync-file', path, to: null })
    this.#effect('sync-file', path, null, () => {
      this.#access.search(path)
      const inode = this.#tree.file(path)
      this.#access.demand(inode, 0o400, path)
      saveInode(inode)
    })
  }

  async syncDirectory(path: DiskPath): Promise<void> {
    await this.#options.pause?.({ operation: 'sync-directory', path, to: null })
    this.#effect('sync-directory', path, null, () => {
      this.#access.search(path)
      const inode = this.#tree.directory(path)
      this.#access.demand(inode, 0o400, path)
      this.#tree.syncDirectory(inode)
    })
  }

  #writable(path: DiskPath, inode: Inode): WritableFile {
    let position = 0
    return {
      write: async (chunk) => {
        const bytes = chunk.slice()
        await this.#options.pause?.({ operation: 'write', path, to: null })
        this.#effect('write', path, null, () => {
          writeInto(inode, position, bytes)
          position += bytes.length
          this.#tree.touched(path, inode, true)
        })
      },
      skip: (byteCount) =>
        this.#effect('write', path, null, () => {
          writeInto(inode, position, new Uint8Array(byteCount))
          position += byteCount
          this.#tree.touched(path, inode, true)
        }),
      setMode: (mode) => this.#effect('chmod', path, null, () => this.#setMode(path, inode, mode)),
      fd: null,
      setMtime: (mtimeUs) =>
        this.#effect('utimes', path, null, () => this.#setMtime(path, inode, mtimeUs)),
      stat: () => statOf(inode),
      sync: async () => {
        await this.#options.pause?.({ operation: 'sync-file', path, to: null })
        this.#effect('sync-file', path, null, () => saveInode(inode))
      },
      close: () => undefined,
    }
  }

  #setMode(path: DiskPath, inode: Inode, mode: number): void {
    inode.mode = mode
    this.#tree.touched(path, inode, false)
  }

  #setMtime(path: DiskPath, inode: Inode, mtimeUs: number): void {
    inode.mtimeNs = BigInt(mtimeUs) * 1000n
    this.#tree.touched(path, inode, false)
  }

  #ask<T>(operation: DiskOperation, path: DiskPath, call: () => T): T {
    this.#live()
    this.#refuse({ operation, path, to: null })
    return call()
  }

  #effect<T>(operation: DiskEffect, path: DiskPath, to: DiskPath | null, action: () => T): T {
    const call = { operation, path, to }
    this.#live()
    this.#refuse(call)
    this.#hook({ ...call, when: 'before' })
    const result = action()
    this.#hook({ ...call, when: 'after' })
    return result
  }

  #hook(call: DiskCall & { readonly when: 'before' | 'after' }): void {
    try {
      this.#options.effect?.(call)
    } catch (error) {
      this.die()
      throw error
    }
  }

  #live(): void {
    if (this.#isDead) throw new ProcessEnded('the process has ended')
  }

  #refuse(call: DiskCall): void {
    const errno = this.#options.refuse?.(call) ?? null
    if (errno !== null) throw new DiskError(errno, `${call.operation}: ${errno}`)
  }
}

const processOwner: Owner = { uid: 1000, gid: 1000 }
