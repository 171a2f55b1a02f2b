import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { readTree } from '../e2e/tree.ts'

/** What is at one path: as `readTree` shows it, and by which inode. */
export interface Seen {
  readonly shown: string
  readonly inode: number
}

/** A volume at rest, by path. */
export type Snapshot = ReadonlyMap<string, Seen>

/** Everything in the volume; nobody may be changing it. */
export function takeSnapshot(volume: string): Snapshot {
  const seen = new Map<string, Seen>()
  for (const [path, shown] of readTree(volume)) {
    seen.set(path, { shown, inode: lstatSync(join(volume, path)).ino })
  }
  return seen
}

/** The digest of nothing: what a program leaves for a moment that empties a file before it writes. */
const emptyFile = 'f e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** The unique thing that a program wrote: a file's digest or a link's target; null for a directory and for an empty file. */
export function valueOf(shown: string): string | null {
  if (shown.startsWith('d ')) return null
  if (shown.startsWith('l ')) return shown
  const value = `f ${shown.slice(shown.lastIndexOf(' ') + 1)}`
  return value === emptyFile ? null : value
}
