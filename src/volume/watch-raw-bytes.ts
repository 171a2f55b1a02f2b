import { lstatSync, readdirSync, watch, type BigIntStats, type FSWatcher } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  ancestorsOf,
  isBelow,
  parseRelativePath,
  pathRefusal,
  type RelativePath,
} from '../core/relative-path.ts'
import { inotifyWatches } from './inotify-limits.ts'
import type { HintQueue } from './watch-hints.ts'
import { isWatchLimit, watchRefusal } from './watch-probe.ts'

/** A directory of the volume; null: the root. */
export type Directory = RelativePath | null

export interface RawWatchParts {
  /** Absolute, without links. */
  readonly root: Buffer
  readonly hints: HintQueue
  readonly isIgnored: (directory: RelativePath) => boolean
  /** Told of every event. */
  readonly counted: () => void
  /** Told when a watch may be missing. */
  readonly checkWanted: () => void
}

/** Why `check` found or left directories without a watch, and how many (0: not known); null: everything is watched. */
export type Unwatched = { readonly directories: number; readonly reason: string } | null

/**
 * Watches of our own, made with bytes, for the directories that chokidar cannot watch (a name that is not UTF-8, or with a backslash), and
 * for those that it lost: it takes a directory that was removed and made again for the one it knew when the file system gives it the same
 * inode number, and one that came while the kernel's queue overflowed it never heard of. Where there is one already, an own watch costs no
 * more in the kernel: both share it.
 */
export class RawWatches {
  readonly #parts: RawWatchParts
  readonly #open = new Map<Directory, { readonly watcher: FSWatcher; readonly identity: string }>()
  /** Gone or unreadable when last tried: the next event at its path tries again. */
  readonly #awaited = new Set<RelativePath>()
  #isStopped = false

  constructor(parts: RawWatchParts) {
    this.#parts = parts
  }

  /** Watches the directory and all below it, and has them listed, as they may have changed before. Does nothing if there is none. */
  adopt(directory: Directory): void {
    const pending = [directory]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const outcome = this.#tryOpen(next)
      if (outcome === 'opened') pending.push(...this.childDirectories(next))
      else if (outcome instanceof Error) this.#parts.checkWanted()
    }
  }

  /** Watches this one directory, so that its events bear bytes. Has it listed unless it was watched so before (`open`). */
  listen(directory: Directory): 'opened' | 'open' | 'refused' {
    const outcome = this.#tryOpen(directory)
    return outcome instanceof Error ? 'refused' : outcome
  }

  /** To be called with each path that an event names, whoever heard it. */
  touched(path: RelativePath): void {
    if (this.#awaited.has(path)) this.#renew(path)
  }

  /**
   * To be called with each path that came, went or moved. Where a directory was watched there may be another one now, which only the
   * events of the directory above it tell for certain: its own bear the last component of whatever path it was first watched at.
   */
  renamed(path: RelativePath, wasWatched: boolean): void {
    if (!wasWatched && !this.#open.has(path)) {
      this.touched(path)
      return
    }
    this.#await(path)
    this.#renew(path)
    this.#parts.checkWanted()
  }

  /** Closes the own watches at and below the path that are not, or no longer, of the directory that is there. */
  forget(directory: RelativePath): void {
    for (const path of this.#open.keys()) {
      if (path !== null && isAtOrBelow(path, directory) && !this.#isCurrent(path)) this.#close(path)
    }
  }

  /**
   * Looks at every directory whether it is watched, by us or by whom `isGiven` asks, and watches those that are not. What is believed is
   * compared with the inode numbers that the kernel tells, where these are the ones that lstat gives (not on all file systems).
   */
  async check(isGiven: (directory: Directory) => boolean, signal: AbortSignal): Promise<Unwatched> {
    const root = this.#lookAt(null)
    if (root === undefined) return { directories: 0, reason: 'the volume is not there' }
    const watched = await this.#watchedInodes(root.ino)
    const pace = pacer()
    for (const path of this.#open.keys()) {
      await pace()
      if (!this.#isCurrent(path)) this.#close(path)
    }
    let refusal: unknown = null
    let missing = 0
    const pending: Directory[] = [null]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      await pace()
      if (signal.aborted) return null
      const stats = this.#lookAt(next)
      if (stats === undefined) continue
      const isKept =
        watched === null || stats.dev !== root.dev || watched.has(stats.ino.toString(16))
      if (!isKept || !(this.#open.has(next) || isGiven(next))) {
        if (refusal === null) {
          this.#close(next)
          const outcome = this.#tryOpen(next)
          if (outcome instanceof Error) refusal = outcome
        }
        if (refusal !== null) missing++
      }
      pending.push(...this.childDirectories(next))
    }
    return refusal === null ? null : { directories: missing, reason: watchRefusal(refusal) }
  }

  /** The directories in a directory that are synced; none when it cannot be read. */
  childDirectories(directory: Directory): RelativePath[] {
    const children: RelativePath[] = []
    try {
      const options = { withFileTypes: true, encoding: 'buffer' } as const
      for (const child of readdirSync(this.#absolute(directory), options)) {
        if (!child.isDirectory()) continue
        const path = childPath(directory, child.name.toString('latin1'))
        if (path !== null && !this.#parts.isIgnored(path)) children.push(path)
      }
    } catch {
      // Gone meanwhile, which an event tells, or unreadable, which the scan reports.
    }
    return children
  }

  stop(): void {
    this.#isStopped = true
    for (const path of this.#open.keys()) this.#close(path)
  }

  /** An error is a limit of the kernel. */
  #tryOpen(directory: Directory): 'opened' | 'open' | 'refused' | Error {
    if (this.#isStopped) return 'refused'
    if (directory !== null && this.#parts.isIgnored(directory)) return 'refused'
    const stats = this.#find(directory)
    if (stats === undefined) return 'refused'
    if (this.#open.get(directory)?.identity === identityOf(stats)) return 'open'
    if (directory !== null) this.forget(directory)
    this.#close(directory)
    try {
      // One char a byte: as RelativePath has it.
      const watcher = watch(this.#absolute(directory), 'latin1', (event, name) => {
        this.#heard(directory, event, name)
      })
      watcher.on('error', () => {
        this.#close(directory)
        this.#parts.checkWanted()
      })
      this.#open.set(directory, { watcher, identity: identityOf(stats) })
    } catch (error) {
      if (isWatchLimit(error) && error instanceof Error) return error
      if (directory !== null) this.#await(directory)
      return 'refused'
    }
    if (directory !== null) this.#awaited.delete(directory)
    this.#parts.hints.list(directory)
    return 'opened'
  }

  #heard(directory: Directory, event: string, name: string | null): void {
    const { hints, counted } = this.#parts
    counted()
    if (directory !== null) hints.dirty(directory)
    if (name === null) {
      hints.list(directory)
      return
    }
    const path = childPath(directory, name)
    if (path !== null) {
      hints.dirty(path)
      if (event === 'rename') {
        this.renamed(path, false)
        this.adopt(path)
      } else {
        this.touched(path)
      }
    }
    // Perhaps about the directory itself: the kernel's events of that bear its own name.
    if (event === 'rename' && this.#absolute(directory).toString('latin1').endsWith(`/${name}`)) {
      this.#parts.checkWanted()
      if (directory === null) return
      this.forget(directory)
      this.adopt(directory)
    }
  }

  /** Makes the watches of a directory anew, as those at and below its path may be of another one. */
  #renew(directory: RelativePath): void {
    if (this.#find(directory) === undefined) {
      this.#close(directory)
      return
    }
    const old = [...this.#open].filter(([path]) => path !== null && isAtOrBelow(path, directory))
    for (const [path] of old) this.#open.delete(path)
    this.adopt(directory)
    // Only now: where it is the same directory the two share one watch in the kernel, and no event falls between them.
    for (const [, { watcher }] of old) watcher.close()
  }

  #isCurrent(directory: Directory): boolean {
    return this.#open.get(directory)?.identity === identityOf(this.#find(directory))
  }

  /** Inodes on the root's file system that this process watches, hexadecimal; null when the kernel's numbers are not lstat's. */
  async #watchedInodes(root: bigint): Promise<ReadonlySet<string> | null> {
    const known = await inodesBeside(root)
    // It may be the root that is not watched: then it is now, and must be among them.
    return known === null && this.#tryOpen(null) === 'opened' ? inodesBeside(root) : known
  }

  #await(directory: RelativePath): void {
    this.#awaited.add(directory)
    if (this.#awaited.size <= maxAwaited) return
    for (const oldest of this.#awaited) {
      this.#awaited.delete(oldest)
      return
    }
  }

  #close(directory: Directory): void {
    this.#open.get(directory)?.watcher.close()
    this.#open.delete(directory)
  }

  #absolute(directory: Directory): Buffer {
    const { root } = this.#parts
    return directory === null ? root : Buffer.concat([root, Buffer.from(`/${directory}`, 'latin1')])
  }

  /** The directory at a path none of whose components is a link; undefined when there is none. */
  #find(directory: Directory): BigIntStats | undefined {
    // First: most of what events name are files, or gone.
    const stats = this.#lookAt(directory)
    if (stats === undefined || directory === null) return stats
    const above: Directory[] = [null, ...ancestorsOf(directory)]
    return above.some((each) => this.#lookAt(each) === undefined) ? undefined : stats
  }

  /** The same, where those above are known to be directories. */
  #lookAt(directory: Directory): BigIntStats | undefined {
    try {
      const options = { bigint: true, throwIfNoEntry: false } as const
      const stats = lstatSync(this.#absolute(directory), options)
      return stats?.isDirectory() === true ? stats : undefined
    } catch {
      return undefined
    }
  }
}

/** The path of a name in a directory, both latin1; null when it is none that is synced. */
export function childPath(directory: Directory, name: string): RelativePath | null {
  const text = directory === null ? name : `${directory}/${name}`
  return pathRefusal(text) === null ? parseRelativePath(text) : null
}

/** A directory made in the place of another often gets its inode number, but not, where that is kept, its birth time. */
function identityOf(stats: BigIntStats | undefined): string {
  return stats === undefined ? '' : `${stats.ino} ${stats.birthtimeNs}`
}

function isAtOrBelow(path: RelativePath, directory: RelativePath): boolean {
  return path === directory || isBelow(path, directory)
}

/** More directories than these that went away are left to the next check. */
const maxAwaited = 10_000

/** Lets others have a turn whenever it is called and `sliceMs` have passed. */
function pacer(): () => Promise<void> {
  let startMs = performance.now()
  return async () => {
    if (performance.now() - startMs < sliceMs) return
    await nextTurn()
    startMs = performance.now()
  }
}

const sliceMs = 10

/** The inodes that are watched on the file system on which the root is watched, or null if that is not. */
async function inodesBeside(root: bigint): Promise<ReadonlySet<string> | null> {
  const watches = await inotifyWatches()
  const known = watches.find((watch) => watch.inode === root.toString(16))
  if (known === undefined) return null
  const here = watches.filter((watch) => watch.fileSystem === known.fileSystem)
  return new Set(here.map((watch) => watch.inode))
}
