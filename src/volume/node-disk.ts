import {
  chmodSync,
  closeSync,
  constants,
  fsync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlink,
  unlinkSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import {
  DiskError,
  errnoOf,
  type Disk,
  type DiskPath,
  type DiskStat,
  type Owner,
  type ReadableFile,
  type WritableFile,
} from './disk.ts'
import { inLanes } from './lanes.ts'
import { copyFileTo } from './node/copy-file.ts'
import { toDiskError, toDiskStat } from './node/disk-stat.ts'
import { hashFileWith } from './node/hash-file.ts'
import { HashPool } from './node/hash-pool.ts'
import { called, calling, readableFile, writableFile } from './node/open-file.ts'
import { timeOf } from './node/time.ts'
import { O_PATH, placeIn, placeOf, Walk, type Place } from './node/walk.ts'

const openTo = promisify(open)
const syncTo = promisify(fsync)
const unlinkFrom = promisify(unlink)

/** Unlinks that run at once: more would only wait for each other in the file system, and keep syncs waiting. */
const unlinkLanes = 4

const creationFlags =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** A FIFO that took a file's place must not hang the open; a symlink in its place is refused. */
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * The real file system below one root. Every call walks from the root's descriptor (node/walk.ts), so it stays in the directory that
 * was opened, wherever that is moved and whatever takes its name. Metadata calls are synchronous; bytes and syncs go to libuv's
 * threads (set `UV_THREADPOOL_SIZE=16`).
 */
export class NodeDisk implements Disk {
  readonly #rootPath: string
  readonly #pool = new HashPool()
  readonly #hashFile = hashFileWith(this.#pool)
  #rootFd = -1
  #walk = new Walk({ rootFd: -1 })

  constructor({ rootPath }: { readonly rootPath: string }) {
    this.#rootPath = rootPath
  }

  /** Opens the root; its own path may lead through symlinks. Throws a DiskError, ENOSYS where `/proc` is missing. */
  start(): void {
    this.#rootFd = called('open', () => openSync(this.#rootPath, O_PATH | constants.O_DIRECTORY))
    this.#walk = new Walk({ rootFd: this.#rootFd })
    if (this.lstat('') !== null) return
    closeSync(this.#rootFd)
    throw new DiskError('ENOSYS', '/proc/self/fd is not there')
  }

  /** Lets go of the root and ends the hash threads. */
  async stop(): Promise<void> {
    await this.#pool.stop()
    this.#walk.stop()
    if (this.#rootFd >= 0) closeSync(this.#rootFd)
    this.#rootFd = -1
    this.#walk = new Walk({ rootFd: -1 })
  }

  together<T>(calls: () => T): T {
    return this.#walk.together(calls)
  }

  lookRoot(): DiskStat {
    return called('stat', () => toDiskStat(statSync(this.#rootPath, { bigint: true })))
  }

  lstat(path: DiskPath): DiskStat | null {
    try {
      return this.#walk.once(() => lstatPlace(this.#walk.place(path)))
    } catch (error) {
      return absentOrThrow(toDiskError(error, 'lstat'))
    }
  }

  lstatEach(
    directory: DiskPath,
    names: readonly string[],
  ): readonly (DiskStat | DiskError | null)[] {
    try {
      return this.#walk.once(() => {
        const fd = this.#walk.directory(directory)
        return names.map((name) => lstatOrError(() => lstatPlace(placeIn(fd, name))))
      })
    } catch (error) {
      const failure = lstatOrError(() => {
        throw error
      })
      return names.map(() => failure)
    }
  }

  list(directory: DiskPath): readonly string[] {
    return called('readdir', () =>
      this.#walk.once(() =>
        readdirSync(placeOf(this.#walk.directory(directory)), { encoding: 'latin1' }),
      ),
    )
  }

  readlink(path: DiskPath): string {
    return this.#at('readlink', path, (place) => readlinkSync(place, { encoding: 'latin1' }))
  }

  mkdir(path: DiskPath, mode: number): void {
    this.#at('mkdir', path, (place) => withoutUmask(() => mkdirSync(place, { mode })))
  }

  symlink(target: string, path: DiskPath): void {
    this.#at('symlink', path, (place) => symlinkSync(Buffer.from(target, 'latin1'), place))
  }

  link(from: DiskPath, to: DiskPath): void {
    this.#at('link', from, (place) => linkSync(place, this.#walk.place(to)))
  }

  rename(from: DiskPath, to: DiskPath): void {
    this.#at('rename', from, (place) => renameSync(place, this.#walk.place(to)))
    this.#walk.forget(from)
    this.#walk.forget(to)
  }

  unlink(path: DiskPath): void {
    this.#at('unlink', path, (place) => unlinkSync(place))
  }

  async unlinkEach(directory: DiskPath, names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    const fd = called('open', () => this.#walk.openDirectory(directory))
    const unlinkOne = (name: string): Promise<void> =>
      calling('unlink', () => unlinkFrom(placeIn(fd, name)))
    try {
      await inLanes(names, unlinkOne, { lanes: unlinkLanes })
    } finally {
      closeSync(fd)
    }
  }

  rmdir(path: DiskPath): void {
    this.#at('rmdir', path, (place) => rmdirSync(place))
    this.#walk.forget(path)
  }

  chmod(path: DiskPath, mode: number): void {
    // There is no lchmod(2): the place is pinned first, and what was pinned is changed; of a symlink that is ENOTSUP.
    this.#at('chmod', path, (place) => {
      const fd = openSync(place, O_PATH | constants.O_NOFOLLOW)
      try {
        chmodSync(placeOf(fd), mode)
      } finally {
        closeSync(fd)
      }
    })
  }

  setMtime(path: DiskPath, mtimeUs: number): void {
    this.#at('utimes', path, (place) => lutimesSync(place, Date.now() / 1000, timeOf(mtimeUs)))
  }

  chown(path: DiskPath, { uid, gid }: Owner): void {
    this.#at('chown', path, (place) => lchownSync(place, uid, gid))
  }

  create(path: DiskPath, mode: number): WritableFile {
    return writableFile(this.#at('open', path, (place) => openSync(place, creationFlags, mode)))
  }

  async createMeanwhile(path: DiskPath, mode: number): Promise<WritableFile> {
    return this.#whileOpen(path, async (place) =>
      writableFile(await calling('open', () => openTo(place, creationFlags, mode))),
    )
  }

  openForWriting(path: DiskPath): WritableFile {
    const flags = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    return writableFile(this.#at('open', path, (place) => openSync(place, flags)))
  }

  openForReading(path: DiskPath): ReadableFile {
    return readableFile(this.#open(path), this.#hashFile)
  }

  async copy(from: DiskPath, to: DiskPath): Promise<void> {
    const source = this.#open(from)
    try {
      await this.#whileOpen(to, (place) => calling('copy', () => copyFileTo(source, place)))
    } finally {
      closeSync(source)
    }
  }

  async syncFile(path: DiskPath): Promise<void> {
    const fd = this.#open(path)
    try {
      await calling('fsync', () => syncTo(fd))
    } finally {
      closeSync(fd)
    }
  }

  async syncDirectory(path: DiskPath): Promise<void> {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
    const fd = this.#at('open', path, (place) => openSync(place, flags))
    try {
      await calling('fsync', () => syncTo(fd))
    } finally {
      closeSync(fd)
    }
  }

  #open(path: DiskPath): number {
    return this.#at('open', path, (place) => openSync(place, readFlags))
  }

  /** For a call on a thread: the walk keeps its directories open for a turn of the event loop only. */
  async #whileOpen<T>(path: DiskPath, call: (place: Place) => Promise<T>): Promise<T> {
    const slash = path.lastIndexOf('/')
    const directory =
      slash < 0
        ? this.#rootFd
        : called('open', () => this.#walk.openDirectory(path.slice(0, slash)))
    try {
      return await call(placeIn(directory, path.slice(slash + 1)))
    } finally {
      if (directory !== this.#rootFd) closeSync(directory)
    }
  }

  #at<T>(operation: string, path: DiskPath, call: (place: Place) => T): T {
    return called(operation, () => this.#walk.once(() => call(this.#walk.place(path))))
  }
}

/** A chmod after it would leave a moment with another mode. The umask is the process's, and only its main thread may set it. */
function withoutUmask(call: () => void): void {
  if (!isMainThread) return call()
  const umask = process.umask(0)
  try {
    call()
  } finally {
    process.umask(umask)
  }
}

function lstatPlace(place: Place): DiskStat | null {
  const stats = lstatSync(place, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? null : toDiskStat(stats)
}

function lstatOrError(look: () => DiskStat | null): DiskStat | DiskError | null {
  try {
    return look()
  } catch (cause) {
    const error = toDiskError(cause, 'lstat')
    if (!(error instanceof DiskError)) throw error
    return isAbsence(error) ? null : error
  }
}

function absentOrThrow(error: unknown): null {
  if (isAbsence(error)) return null
  throw error
}

function isAbsence(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR'
}
