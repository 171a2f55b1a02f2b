import {
  type BigIntStats,
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect } from 'vitest'

import {
  ancestorsOf,
  isBelow,
  parentOf,
  parseRelativePath,
  type RelativePath,
} from '../../src/core/relative-path.ts'
import type { Watcher, WatchHint } from '../../src/engine/ports.ts'
import { inotifyWatches } from '../../src/volume/inotify-limits.ts'
import { VolumeWatcher, type VolumeWatcherOptions } from '../../src/volume/watch.ts'
import type { WatchedVolume } from '../conformance/watcher-suite.ts'

/** A directory on the disk with a watcher; paths are latin1, '' is the root. A machine that stands still makes it scan only if told so. */
export interface DiskVolume extends WatchedVolume {
  readonly root: string
  absolute(path: string): Buffer
}

export function diskVolume(options: Partial<VolumeWatcherOptions> = {}): DiskVolume {
  const root = options.volume ?? mkdtempSync(join(realpathSync(tmpdir()), 'synd-watch-'))
  mkdirSync(join(root, '.synd'), { recursive: true, mode: 0o700 })
  const absolute = (path: string) =>
    Buffer.concat([Buffer.from(root), Buffer.from(path === '' ? '' : `/${path}`, 'latin1')])
  return {
    root,
    absolute,
    watcher: new VolumeWatcher({
      volume: root,
      mode: 'chokidar',
      environment: {},
      stallMs: Number.POSITIVE_INFINITY,
      ...options,
    }),
    write: (path, text) => writeFileSync(absolute(path), text),
    append: (path, text) => appendFileSync(absolute(path), text),
    makeDirectory: (path) => void mkdirSync(absolute(path), { recursive: true }),
    makeLink: (path, target) => symlinkSync(target, absolute(path)),
    setMode: (path, mode) => chmodSync(absolute(path), mode),
    rename: (from, to) => renameSync(absolute(from), absolute(to)),
    remove: (path) => rmSync(absolute(path), { recursive: true, force: true }),
    dispose: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** What one path showed when it was looked at. */
type Seen = { readonly isDirectory: boolean; readonly signature: string }

/** Does what the engine does with hints and nothing else: what it knows of the tree it was led to. */
export interface Follower {
  readonly hints: readonly WatchHint[]
  readonly known: ReadonlyMap<string, Seen>
  /** Resolves when all that is on the disk is known as it is. */
  caughtUp(): Promise<void>
  stop(): Promise<void>
}

export async function follow(
  volume: DiskVolume,
  watcher: Watcher = volume.watcher,
): Promise<Follower> {
  const hints: WatchHint[] = []
  const known = new Map<RelativePath, Seen>()
  const stopped = new AbortController()

  function look(path: RelativePath): void {
    const before = known.get(path)
    const now = see(volume, path)
    if (before?.isDirectory === true && now?.signature !== before.signature) {
      for (const below of known.keys()) if (isBelow(below, path)) known.delete(below)
    }
    if (now === null) known.delete(path)
    else known.set(path, now)
    if (now?.isDirectory === true && now.signature !== before?.signature) list(path)
  }

  function list(directory: RelativePath | null): void {
    const children = childrenOf(volume, directory)
    for (const path of known.keys()) {
      if (parentOf(path) === directory && !children.includes(path)) look(path)
    }
    for (const child of children) look(child)
  }

  const ended = (async () => {
    for await (const hint of watcher.watch(stopped.signal)) {
      hints.push(hint)
      switch (hint.kind) {
        case 'scan':
        case 'overflow':
          known.clear()
          list(null)
          break
        case 'list':
          list(hint.directory)
          break
        case 'dirty':
          for (const path of hint.paths) look(path)
          break
        case 'degraded':
          break
      }
    }
  })()
  await until(() => hints.length > 0)
  return {
    hints,
    known,
    caughtUp: () =>
      until(
        () => difference(known, treeOf(volume)) === null,
        () => String(difference(known, treeOf(volume))),
      ),
    async stop() {
      stopped.abort()
      await ended
    },
  }
}

/** Waits for a condition; says `why` not when it does not come true. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  why = () => '',
): Promise<void> {
  const deadlineMs = performance.now() + 30_000
  while (!(await condition())) {
    if (performance.now() > deadlineMs) expect.fail(`waited in vain: ${why()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** How many hints asked for everything. */
export function scansIn(hints: readonly WatchHint[]): number {
  return hints.filter(({ kind }) => kind === 'scan' || kind === 'overflow').length
}

/** Directories of the volume (not of `.synd`) on which this process holds no inotify watch. */
export async function unwatchedDirectories(volume: DiskVolume): Promise<string[]> {
  const watches = await inotifyWatches()
  const inodes = new Set(watches.map(({ inode }) => inode))
  const directories = [...treeOf(volume)].filter(([, { isDirectory }]) => isDirectory)
  return ['', ...directories.map(([path]) => path)].filter((path) => {
    const stats = lstatOrNothing(volume, path)
    return stats !== undefined && !inodes.has(stats.ino.toString(16))
  })
}

/** The whole tree as it is. */
export function treeOf(volume: DiskVolume): Map<RelativePath, Seen> {
  const tree = new Map<RelativePath, Seen>()
  const pending: (RelativePath | null)[] = [null]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const child of childrenOf(volume, next)) {
      const seen = see(volume, child)
      if (seen === null) continue
      tree.set(child, seen)
      if (seen.isDirectory) pending.push(child)
    }
  }
  return tree
}

function difference(
  known: ReadonlyMap<string, Seen>,
  tree: ReadonlyMap<string, Seen>,
): string | null {
  for (const [path, { signature }] of tree) {
    if (known.get(path)?.signature !== signature)
      return `${path} is ${signature}, known as ${known.get(path)?.signature}`
  }
  for (const path of known.keys()) if (!tree.has(path)) return `${path} is gone`
  return null
}

function see(volume: DiskVolume, path: RelativePath): Seen | null {
  const stats = lstatOrNothing(volume, path)
  if (stats === undefined) return null
  const { mode, ino, size, mtimeNs, ctimeNs } = stats
  const isDirectory = stats.isDirectory()
  const own = isDirectory ? [] : [size, mtimeNs, ctimeNs]
  return { isDirectory, signature: [mode.toString(8), ino, ...own].join(' ') }
}

/** Nothing, too, where a directory above became a file or a link. */
function lstatOrNothing(volume: DiskVolume, path: string): BigIntStats | undefined {
  try {
    const above = path === '' ? [] : ancestorsOf(parseRelativePath(path))
    if (above.some((each) => !lstatSync(volume.absolute(each)).isDirectory())) return undefined
    return lstatSync(volume.absolute(path), { bigint: true })
  } catch {
    return undefined
  }
}

function childrenOf(volume: DiskVolume, directory: RelativePath | null): RelativePath[] {
  try {
    return readdirSync(volume.absolute(directory ?? ''), { encoding: 'buffer' })
      .map((name) => name.toString('latin1'))
      .filter((name) => name !== '.synd')
      .map((name) => parseRelativePath(directory === null ? name : `${directory}/${name}`))
  } catch {
    return []
  }
}
