import { sameObservation, type Look, type Observation } from '../core/observation.ts'
import { nameOf, parentOf, reservedName, type RelativePath } from '../core/relative-path.ts'
import type { ChildLook, Listing } from '../engine/ports.ts'
import { DiskError, type Disk, type DiskPath, type DiskStat } from './disk.ts'

/** Children are looked at this many at a time: one walk to the directory for all, and no descriptor is open in between. */
const lookBatch = 128

/** One look at a path, following no link. */
export function lookAt(disk: Disk, path: DiskPath): Look {
  try {
    return toLook(disk.lstat(path))
  } catch (error) {
    if (error instanceof DiskError) return toLook(error)
    throw error
  }
}

/** A look at each path, with one walk for those of one directory that follow each other. */
export function lookAtEach(disk: Disk, paths: readonly RelativePath[]): readonly Look[] {
  const looks: Look[] = []
  for (let start = 0; start < paths.length;) {
    const directory = parentAt(paths, start)
    let end = start + 1
    while (end < paths.length && parentAt(paths, end) === directory) end++
    const names = paths.slice(start, end).map(nameOf)
    looks.push(...disk.lstatEach(directory, names).map(toLook))
    start = end
  }
  return looks
}

/**
 * The names in a directory, and a look at each as they are iterated; names that went meanwhile are left out. `.synd` in the root is
 * nobody's child.
 */
export function listDirectory(disk: Disk, directory: RelativePath | null): Listing {
  try {
    const names = disk.list(directory ?? '')
    const shown = directory === null ? names.filter((name) => name !== reservedName) : names
    return { kind: 'listed', children: lookAtChildren(disk, directory ?? '', shown) }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    if (error.errno === 'ENOENT' || error.errno === 'ENOTDIR') return { kind: 'absent' }
    return { kind: 'unreadable', message: error.message }
  }
}

/** A stat as the rest of the program knows it; null for what is never synced. */
export function toObservation(stat: DiskStat): Observation | null {
  const { kind, mode, mtimeNs, ctimeNs, sizeBytes, inode, device } = stat
  if (kind === 'fifo' || kind === 'socket' || kind === 'device') return null
  return { kind, mode, mtimeNs, ctimeNs, sizeBytes, inode, device }
}

/** What is there (null: nothing) is what was observed, and nobody changed it since. */
export function isAsObserved(stat: DiskStat | null, observed: Observation): boolean {
  const now = stat === null ? null : toObservation(stat)
  return now !== null && sameObservation(now, observed)
}

function parentAt(paths: readonly RelativePath[], index: number): DiskPath {
  const path = paths[index]
  return path === undefined ? '' : (parentOf(path) ?? '')
}

function* lookAtChildren(
  disk: Disk,
  directory: string,
  names: readonly string[],
): Generator<ChildLook> {
  for (let start = 0; start < names.length; start += lookBatch) {
    const batch = names.slice(start, start + lookBatch)
    for (const [i, found] of disk.lstatEach(directory, batch).entries()) {
      const name = batch[i]
      if (name !== undefined && found !== null) yield { name, look: toLook(found) }
    }
  }
}

function toLook(found: DiskStat | DiskError | null): Look {
  if (found === null) return { kind: 'absent' }
  if (found instanceof DiskError) return { kind: 'unreadable', message: found.message }
  const observation = toObservation(found)
  if (observation !== null) return { kind: 'present', observation }
  const { kind } = found
  const isNamed = kind === 'fifo' || kind === 'socket'
  return { kind: 'unsyncable', what: isNamed ? kind : 'device' }
}
