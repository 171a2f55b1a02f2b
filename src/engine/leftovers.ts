import type { IndexRecord } from '../core/index-record.ts'
import type { Observation } from '../core/observation.ts'
import { joinPath, pathRefusal, type RelativePath } from '../core/relative-path.ts'
import type { Clock, Store, Volume } from './ports.ts'
import type { ProblemList } from './problem-list.ts'

export interface LeftoversParts {
  readonly store: Store
  readonly volume: Volume
  readonly clock: Clock
  readonly problems: ProblemList
  readonly isIgnored: (path: RelativePath, isDirectory: boolean) => boolean
}

/**
 * Deleted directories that stay on the disk for what is in them and not synced: they count as absent, are listed, and resurrect nothing
 * (rule 14). Nothing of it is stored: what is there says it again after a restart.
 */
export class Leftovers {
  readonly #parts: LeftoversParts

  constructor(parts: LeftoversParts) {
    this.#parts = parts
  }

  /** Whether a directory that is on the disk, and deleted by the index, is only left over. It is listed then. */
  is(path: RelativePath, record: IndexRecord | null): boolean {
    const isLeft = this.#isLeft(path, record)
    if (isLeft) this.list(path)
    return isLeft
  }

  /** What in the directory is, or should be, synced; a leftover in it is not. `index` is the index as it will be. */
  syncableIn(
    directory: RelativePath,
    index: Pick<Store, 'get'> = this.#parts.store,
  ): RelativePath[] {
    const { volume, isIgnored } = this.#parts
    const listing = volume.list(directory)
    const syncable: RelativePath[] = []
    if (listing.kind !== 'listed') return syncable
    for (const { name, look } of listing.children) {
      if (look.kind !== 'present' || pathRefusal(`${directory}/${name}`) !== null) continue
      const child = joinPath(directory, name)
      const isDirectory = look.observation.kind === 'directory'
      if (isIgnored(child, isDirectory)) continue
      if (!isDirectory || !this.#isLeft(child, index.get(child), index)) syncable.push(child)
    }
    return syncable
  }

  /** Whether something that is not synced has the name, and nobody will take it away. */
  isInTheWay(path: RelativePath): boolean {
    const { volume, store, isIgnored } = this.#parts
    const look = volume.look(path)
    if (look.kind !== 'present') return look.kind === 'unsyncable'
    if (look.observation.kind !== 'directory') return isIgnored(path, false)
    return isIgnored(path, true) || this.#isLeft(path, store.get(path))
  }

  /** A directory that is on the disk though the index does not have it: nobody needs to make it. */
  directoryAt(path: RelativePath): Observation | null {
    const look = this.#parts.volume.look(path)
    return look.kind === 'present' && look.observation.kind === 'directory'
      ? look.observation
      : null
  }

  list(path: RelativePath): void {
    const message =
      'deleted elsewhere, but it holds things that are not synced: the directory stays here'
    this.#parts.problems.set({ code: 'leftover', path, message }, this.#parts.clock.nowMs())
  }

  /** An empty one was made by somebody. */
  #isLeft(
    path: RelativePath,
    record: IndexRecord | null,
    index: Pick<Store, 'get'> = this.#parts.store,
  ): boolean {
    if (record?.entry.kind !== 'tombstone') return false
    return this.#hasChildren(path) && this.syncableIn(path, index).length === 0
  }

  #hasChildren(directory: RelativePath): boolean {
    const listing = this.#parts.volume.list(directory)
    if (listing.kind !== 'listed') return false
    for (const _ of listing.children) return true
    return false
  }
}
