import { isLive } from '../../core/entry.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import { parentOf, type RelativePath } from '../../core/relative-path.ts'
import type { Put } from '../ledger.ts'
import type { Store } from '../ports.ts'

/** The index as it will be when a batch is committed: what the batch did over what the store has. */
export class Overlay {
  readonly #store: Store
  #puts = new Map<RelativePath, Put>()

  constructor({ store }: { store: Store }) {
    this.#store = store
  }

  get(path: RelativePath): IndexRecord | null {
    const put = this.#puts.get(path)
    const record = this.#store.get(path)
    if (put === undefined) return record
    return { entry: put.entry, observation: put.observation, sequence: record?.sequence ?? 0 }
  }

  isDirectory(path: RelativePath | null): boolean {
    if (path === null) return true
    const record = this.get(path)
    return record !== null && record.entry.kind === 'directory' && record.observation !== null
  }

  /** Live records directly in the directory, with what the batch made and without what it removed. */
  liveChildren(directory: RelativePath): IndexRecord[] {
    const children = this.#store.children(directory).filter(({ entry }) => this.#isLive(entry.path))
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

  /** Everything put since the last call, in order. */
  take(): Put[] {
    const puts = [...this.#puts.values()]
    this.#puts = new Map()
    return puts
  }

  #isLive(path: RelativePath): boolean {
    return isLive(this.get(path)?.entry)
  }
}
