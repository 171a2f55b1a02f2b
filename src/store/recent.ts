import type { RelativePath } from '../core/relative-path.ts'

/** Of so many paths at least; a record takes about a kilobyte. */
export const keptPaths = 16_384

/** Nobody asked for so long: all of it is forgotten, so that a burst leaves no memory in use. */
const quietMs = 1_000

/**
 * What the tables have of paths that were read or written lately. A change is announced, decided, applied and seen again by the watcher within moments,
 * and each of them asks. Nobody else writes into the index (open-store.ts), so what is here is what a read would find.
 */
export class Recent<Value> {
  #young = new Map<RelativePath, Value>()
  #old: ReadonlyMap<RelativePath, Value> = new Map()
  #isUsed = false
  #timer: NodeJS.Timeout | null = null

  get(path: RelativePath): Value | undefined {
    this.#isUsed = true
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
    this.#isUsed = true
    this.#timer ??= setInterval(() => this.#look(), quietMs).unref()
  }

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #look(): void {
    if (this.#isUsed) this.#isUsed = false
    else this.clear()
  }
}
