import { isLive } from '../../core/entry.ts'
import type { IndexRecord, RemoteRecord } from '../../core/index-record.ts'
import { parentOf, type RelativePath } from '../../core/relative-path.ts'
import type { Put } from '../ledger.ts'
import type { Store } from '../ports.ts'

/**
 * The index as it will be when a batch is committed: what the batch did over what the store has. Each record is read once, so nobody else may
 * commit while it is in use.
 */
export class Overlay {
  readonly #store: Store
  #puts = new Map<RelativePath, Put>()
  #records = new Map<RelativePath, IndexRecord | null>()
  readonly #remote = new Map<RelativePath, readonly RemoteRecord[]>()

  constructor({ store }: { store: Store }) {
    this.#store = store
  }

  get(path: RelativePath): IndexRecord | null {
    const put = this.#puts.get(path)
    const record = this.#recorded(path)
    if (put === undefined) return record
    return { entry: put.entry, observation: put.observation, sequence: record?.sequence ?? 0 }
  }

  /** The latest of every peer for the path. */
  remote(path: RelativePath): readonly RemoteRecord[] {
    const known = this.#remote.get(path)
    if (known !== undefined) return known
    const remote = this.#store.remote(path)
    this.#remote.set(path, remote)
    return remote
  }

  isDirectory(path: RelativePath | null): boolean {
    if (path === null) return true
    const record = this.get(path)
    return record !== null && record.entry.kind === 'directory' && record.observation !== null
  }

  /** Live records directly in the directory, with what the batch made and without what it removed. */
  liveChildren(directory: RelativePath): IndexRecord[] {
    const children = this.#store
      .children(directory)
      .filter(({ entry }) => isLive(this.#puts.get(entry.path)?.entry ?? entry))
    const known = new Set(children.map(({ entry }) => entry.path))
    for (const path of this.#puts.keys()) {
      if (parentOf(path) !== directory || known.has(path)) continue
      const record = this.get(path)
      if (record !== null && isLive(record.entry)) children.push(record)
    }
    return children
  }

  put(put: Put): void {
    // Deleted first, so that the order of commits is the order of puts.
    this.#puts.delete(put.entry.path)
    this.#puts.set(put.entry.path, put)
  }

  /** Everything put since the last call, in order; to be committed before anything is read. */
  take(): Put[] {
    const puts = [...this.#puts.values()]
    this.#puts = new Map()
    this.#records = new Map()
    return puts
  }

  #recorded(path: RelativePath): IndexRecord | null {
    const known = this.#records.get(path)
    if (known !== undefined) return known
    const record = this.#store.get(path)
    this.#records.set(path, record)
    return record
  }
}
