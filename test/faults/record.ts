import type { Seen, Snapshot } from './snapshot.ts'

/** Where a value was put last, and by whom. */
export interface Home {
  readonly path: string
  readonly member: string
}

/** What one member did to a path last; null: it is gone. */
export interface Left {
  readonly member: string
  readonly seen: Seen | null
}

/**
 * What the users of all members did since everything was equal, for the oracle. A value is what was written, unlike any other. It has to survive
 * unless somebody who had it before the eyes wrote over it or deleted it.
 */
export class Record {
  /** What each value is called in messages: every value ever written. */
  readonly names = new Map<string, string>()
  /** Values that must be somewhere when everything is equal again. */
  readonly required = new Map<string, Home>()
  readonly #homes = new Map<string, Home[]>()
  /** Values that were nowhere when everything was equal: they must not come back. */
  readonly gone = new Set<string>()
  /** Who did something at a path. */
  readonly touchedBy = new Map<string, Set<string>>()
  /** What was done there last. */
  readonly left = new Map<string, Left>()

  /** Everything is equal: a new beginning with what is there. `values` are those in the tree, with their paths. */
  begin(values: ReadonlyMap<string, string>): void {
    for (const value of this.names.keys()) if (!values.has(value)) this.gone.add(value)
    this.required.clear()
    for (const [value, path] of values) this.required.set(value, { path, member: '' })
    this.#homes.clear()
    this.touchedBy.clear()
    this.left.clear()
  }

  /** A value that nobody wrote before. */
  wrote(value: string, home: Home, name: string): void {
    this.names.set(value, name)
    this.moved(value, home)
  }

  /** A value is at a path now. Where two moved the same thing to the same path, who overwrites the one has overwritten the other. */
  moved(value: string, home: Home): void {
    if (!this.names.has(value)) return
    const homes = this.#homes.get(value) ?? []
    const isTwice = homes.some(({ path, member }) => path === home.path && member !== home.member)
    this.#homes.set(value, [...homes, home])
    if (isTwice) this.required.delete(value)
    else this.required.set(value, home)
  }

  /** Somebody saw that value and put something else in its place, or nothing. */
  superseded(value: string): void {
    this.required.delete(value)
  }

  /** A value that others put at this path or below it may just have arrived, and gone unseen with what was removed. */
  raced(path: string, member: string): void {
    for (const [value, home] of this.required) {
      if (home.member !== member && isAtOrBelow(home.path, path)) this.required.delete(value)
    }
  }

  /** The state of a path after a member did something there. */
  leave(path: string, left: Left): void {
    const by = this.touchedBy.get(path) ?? new Set()
    this.touchedBy.set(path, by.add(left.member))
    this.left.set(path, left)
  }

  /** Who did something at the path, above or below it. */
  touchersAround(path: string): ReadonlySet<string> {
    const members = new Set<string>()
    for (const [touched, by] of this.touchedBy) {
      if (!isAtOrBelow(touched, path) && !isAtOrBelow(path, touched)) continue
      for (const member of by) members.add(member)
    }
    return members
  }
}

/** All volumes when everything was equal, by member. */
export type Snapshots = ReadonlyMap<string, Snapshot>

function isAtOrBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}
