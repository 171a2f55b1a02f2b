import type { RelativePath } from '../core/relative-path.ts'

/** Of so many paths at least; a record takes about a kilobyte. */
const keptPaths = 8_192

/**
 * What the tables have of paths that were read or written lately. A change is announced, decided, applied and seen again by the watcher within moments,
 * and each of them asks. Nobody else writes into the index (open-store.ts), so what is here is what a read would find.
 */
export class Recent<Value> {
  #young = new Map<RelativePath, Value>()
  #old: ReadonlyMap<RelativePath, Value> = new Map()

  get(path: RelativePath): Value | undefined {
    const value = this.#young.get(path)
    return value === undefined ? this.#old.get(path) : value
  }

  /** `Value` may be null, for nothing, but not undefined. */
  set(path: RelativePath, value: Value): void {
    if (this.#young.size >= keptPaths) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(path, value)
  }

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
  }
}
