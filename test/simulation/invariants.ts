import { canHaveCopy, conflictCopyPath, copyAttempts } from '../../src/core/conflict.ts'
import { contentDigest, sameEntry, type Entry } from '../../src/core/entry.ts'
import type { RelativePath } from '../../src/core/relative-path.ts'
import { coversDot, type Dot } from '../../src/core/version-vector.ts'
import type { Store } from '../../src/engine/ports.ts'
import { digestOf } from './contents.ts'
import { versionOf } from './known.ts'
import type { Values } from './values.ts'

interface Named {
  readonly name: string
  readonly host: { readonly store: Store }
}

/** A value as one version of a path. */
interface Version {
  readonly value: string
  readonly path: RelativePath
  readonly dot: Dot
  readonly entry: Entry
}

/**
 * Rule 4 after every step: no index covers the write of a value that nobody superseded, unless the index has that content, its conflict copy or
 * a tombstone of it, or says that the copy was lost here. Whoever breaks this may throw away the last copy.
 */
export class Coverage {
  readonly #versions = new Map<string, Version>()
  readonly #isExcused: (path: RelativePath) => boolean

  /** `isExcused`: what is at that path may be there and in no index. */
  constructor(parts: { isExcused: (path: RelativePath) => boolean }) {
    this.#isExcused = parts.isExcused
  }

  /** In words what does not hold, or null. */
  fault(peers: readonly Named[], values: Values): string | null {
    const live = new Map(values.live().map((value) => [digestOf(value), value]))
    for (const { host } of peers) this.#note(host.store, live)
    for (const [key, { value, path }] of this.#versions) {
      const isExcused = !values.isLiveAt(value, path) || this.#isExcused(path)
      if (isExcused) this.#versions.delete(key)
    }
    for (const { name, host } of peers) {
      const fault = this.#faultIn(host.store)
      if (fault !== null) return `${name} ${fault}`
    }
    return null
  }

  #note(store: Store, live: ReadonlyMap<string, string>): void {
    for (const { entry } of store.all()) {
      const value = live.get(contentDigest(entry) ?? '')
      if (value === undefined || entry.version.size === 0) continue
      const { path, contentDot: dot } = entry
      this.#versions.set(`${path} ${dot.peer} ${dot.counter}`, { value, path, dot, entry })
    }
  }

  #faultIn(store: Store): string | null {
    for (const { value, path, dot, entry } of this.#versions.values()) {
      const record = store.get(path)
      if (record === null || !coversDot(record.entry.version, dot)) continue
      const digest = digestOf(value)
      const isThere = [...store.all()].some((one) => isOf(one.entry, digest))
      if (!isThere && !isCopyLost(entry, store))
        return `covers ${value} at ${path} and has it nowhere`
    }
    return null
  }
}

function isOf(entry: Entry, digest: string): boolean {
  return (entry.kind === 'tombstone' ? entry.removedDigest : contentDigest(entry)) === digest
}

/** The index says of the copy what it says of what this host had and no peer has: a delete of nothing, which every version wins over. */
function isCopyLost(entry: Entry, store: Store): boolean {
  if (!canHaveCopy(entry)) return false
  return Array.from({ length: copyAttempts }, (_, attempt) =>
    store.get(conflictCopyPath(entry, attempt)),
  ).some((copy) => copy?.entry.kind === 'tombstone' && copy.entry.removedDigest === null)
}

/** At rest every index says the same of every path: all that is announced of it (rules 6 and 16). In words what differs, or null. */
export function unequalIndexes(peers: readonly Named[]): string | null {
  const [first, ...others] = peers
  if (first === undefined) return null
  const known = entriesOf(first.host.store)
  for (const { name, host } of others) {
    const here = entriesOf(host.store)
    for (const path of new Set([...known.keys(), ...here.keys()])) {
      const [a, b] = [known.get(path), here.get(path)]
      if (a === undefined || b === undefined || !sameEntry(a, b))
        return `of ${path} ${first.name} says ${inWords(a)}, ${name} says ${inWords(b)}`
    }
  }
  return null
}

function entriesOf(store: Store): Map<RelativePath, Entry> {
  return new Map([...store.all()].map(({ entry }) => [entry.path, entry]))
}

function inWords(entry: Entry | undefined): string {
  return entry === undefined ? 'nothing' : versionOf(entry)
}
