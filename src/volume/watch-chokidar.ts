import { lstatSync, type Dirent, type Stats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { FSWatcher } from 'chokidar'
import { parseRelativePath, pathRefusal, type RelativePath } from '../core/relative-path.ts'
import type { HintQueue } from './watch-hints.ts'
import { childPath, type Directory, type RawWatches } from './watch-raw-bytes.ts'

export interface ChokidarParts {
  /** Absolute, without links; `canWatch` must hold of it. */
  readonly root: string
  readonly hints: HintQueue
  /** For what chokidar cannot watch. */
  readonly rawWatches: RawWatches
  readonly isIgnored: (directory: RelativePath) => boolean
  /** Told of every event. */
  readonly counted: () => void
  /** Told when a watch may be missing. */
  readonly checkWanted: () => void
  /** The process's own, see `withoutOverrides`. */
  readonly environment: Record<string, string | undefined>
}

export interface ChokidarWatch {
  /** Resolves once every directory is watched or was refused. Never, if closed before. */
  readonly ready: Promise<void>
  /** Whether chokidar was let have the directory: it means to watch it. */
  isGiven(directory: Directory): boolean
  close(): Promise<void>
}

/** Whether chokidar can watch a path: it takes UTF-8 only, and a backslash for a slash. */
export function canWatch(path: string): boolean {
  return !path.includes('\\') && !path.includes('\uFFFD')
}

/**
 * Watches the tree with chokidar and turns its `raw` events into hints: only these come at once (inotify's callback, one a directory), know
 * of mode changes of directories, and are held back for no reason. Its other events serve to learn which directories it watches.
 *
 * chokidar is made to look at directories only. As it comes it stats every file at start, remembers each, and takes its time over each event
 * (100,000 files: 4 s of processor time and 510 MB; so: 1.3 s and 225 MB), and its lister gives up a whole directory over one link whose
 * target lies "below" a file. For this three of its inner methods are replaced: hence the exact version in package.json.
 */
export function watchWithChokidar(parts: ChokidarParts): ChokidarWatch {
  const { root, hints, rawWatches, counted, checkWanted } = parts
  const tree = pathsBelow(root)
  const given = new Set<string>()

  const watcher = withoutOverrides(
    parts.environment,
    () =>
      new FSWatcher({
        backend: 'native',
        followSymlinks: false,
        atomic: false,
        awaitWriteFinish: false,
        ignoreInitial: true,
      }),
  )

  function isIgnored(path: string, stats?: Stats): boolean {
    const directory = tree.relative(path)
    if (directory === undefined || !canWatch(path)) return true
    // chokidar must learn that it went, or that another one took its place.
    if (given.has(path) || given.has(ownerOfItself(path))) return false
    if (!(stats ?? lstatOrNothing(path))?.isDirectory()) return true
    if (directory !== null && parts.isIgnored(directory)) return true
    given.add(path)
    return false
  }

  /** chokidar hands over the filter; what it cannot watch is watched by us. */
  function createScanStream(path: string, { directoryFilter }: ScanOptions): Readable {
    async function* directories(): AsyncGenerator<ScanEntry> {
      const directory = tree.relative(path)
      if (directory === undefined) return
      for (const child of await childrenOf(path)) {
        if (!child.isDirectory()) continue
        const name = child.name.toString()
        if (!canWatch(name)) {
          const childDirectory = childPath(directory, child.name.toString('latin1'))
          if (childDirectory !== null) rawWatches.adopt(childDirectory)
          continue
        }
        const fullPath = `${path}/${name}`
        const stats = lstatOrNothing(fullPath)
        if (stats === undefined) continue
        const entry = { path: name, basename: name, fullPath, stats }
        if (directoryFilter(entry)) yield entry
      }
    }
    return Readable.from(directories())
  }

  // The second is asked before an event is queued for chokidar's own look, which files need not.
  Object.assign(watcher, { isIgnored, isUnwatched: isIgnored, createScanStream })

  watcher.on('raw', (event, name, details) => {
    const watched = watchedPath(details)
    const directory = tree.relative(watched)
    if (directory === undefined) return
    counted()
    // Perhaps about the directory itself: the kernel's events of that bear its own name.
    if (event === 'rename' && watched.endsWith(`/${name}`)) checkWanted()
    if (directory !== null) hints.dirty(directory)
    if (typeof name !== 'string' || name.includes('\uFFFD')) {
      // Which child it was only a listing can tell, the first time; after that an own watch hears the bytes.
      const listening = rawWatches.listen(directory)
      if (listening === 'open') return
      if (listening === 'refused') hints.list(directory)
      for (const child of rawWatches.childDirectories(directory)) {
        if (!canWatch(toUtf8(child))) rawWatches.adopt(child)
      }
      return
    }
    const path = childPath(directory, toLatin1(name))
    if (path !== null) {
      hints.dirty(path)
      if (event === 'rename') {
        rawWatches.renamed(path, given.has(tree.absolute(path)))
        if (!canWatch(name)) rawWatches.adopt(path)
      } else {
        rawWatches.touched(path)
      }
    }
  })
  // Told just before the watch is made, in one go: the hint leaves after it, so that the listing misses nothing.
  watcher.on('addDir', (path) => {
    const directory = tree.relative(path)
    if (directory !== undefined) hints.list(directory)
    checkWanted()
  })
  watcher.on('unlinkDir', (path) => {
    given.delete(path)
    const directory = tree.relative(path)
    if (directory !== undefined && directory !== null) rawWatches.forget(directory)
    checkWanted()
  })
  // Of no use one by one (a limit gives one a directory): the check finds what is not watched, and why.
  watcher.on('error', (error) => {
    if (error instanceof Error && 'path' in error && typeof error.path === 'string') {
      given.delete(error.path)
    }
    checkWanted()
  })
  const ready = new Promise<void>((resolve) => watcher.on('ready', () => resolve()))
  watcher.add(root)
  return {
    ready,
    isGiven: (directory) => given.has(tree.absolute(directory)),
    close: () => watcher.close(),
  }
}

interface ScanEntry {
  readonly path: string
  readonly basename: string
  readonly fullPath: string
  readonly stats: Stats
}

interface ScanOptions {
  readonly directoryFilter: (entry: ScanEntry) => boolean
}

/** Between chokidar's absolute paths and ours. */
function pathsBelow(root: string) {
  const prefix = root.endsWith('/') ? root : `${root}/`
  return {
    absolute(directory: Directory): string {
      return directory === null ? root : prefix + toUtf8(directory)
    },
    /** Undefined: outside the volume, or never synced. */
    relative(path: string): Directory | undefined {
      if (path === root) return null
      if (!path.startsWith(prefix)) return undefined
      const text = toLatin1(path.slice(prefix.length))
      return pathRefusal(text) === null ? parseRelativePath(text) : undefined
    },
  }
}

/**
 * chokidar obeys CHOKIDAR_USEPOLLING and CHOKIDAR_INTERVAL whatever its caller says, and throws at an interval that is no number. Polling
 * is SYND_WATCH's to decide, so the two are out of sight for as long as its constructor runs.
 */
function withoutOverrides<T>(environment: ChokidarParts['environment'], make: () => T): T {
  const hidden = ['CHOKIDAR_USEPOLLING', 'CHOKIDAR_INTERVAL'].map((name) => ({
    name,
    value: environment[name],
  }))
  for (const { name } of hidden) delete environment[name]
  try {
    return make()
  } finally {
    for (const { name, value } of hidden) if (value !== undefined) environment[name] = value
  }
}

function watchedPath(details: unknown): string {
  if (typeof details !== 'object' || details === null || !('watchedPath' in details)) return ''
  return typeof details.watchedPath === 'string' ? details.watchedPath : ''
}

/** `/a` for `/a/a`: such a path may be an event about the directory `/a`, which chokidar has to see. */
function ownerOfItself(path: string): string {
  const slash = path.lastIndexOf('/')
  const parent = path.slice(0, slash)
  return path.slice(slash) === parent.slice(parent.lastIndexOf('/')) ? parent : ''
}

/** A directory that is gone or unreadable has no children; other errors are chokidar's to report. */
async function childrenOf(path: string): Promise<readonly Dirent<Buffer>[]> {
  try {
    return await readdir(path, { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM') return []
    throw error
  }
}

function lstatOrNothing(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function toLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

function toUtf8(path: string): string {
  return Buffer.from(path, 'latin1').toString()
}
