import { contentsBelow, digestOf } from './contents.ts'
import type { Hands } from '../support/hands.ts'

export interface Value {
  /** The host on which it was written, and the path: for people who read a failure. */
  readonly host: string
  readonly path: string
  readonly writtenMs: number
  /** Its writer made it last a power loss. */
  isSynced: boolean
  /** Hosts that lost power before they had made it last: what they have of it may be taken for damage. */
  readonly doubtfulOn: Set<string>
}

/**
 * What people wrote, and what became of it: a value is superseded when somebody overwrites or deletes the file that holds it, on the disk
 * where he sees it. Every value that nobody superseded must be found in the end.
 */
export class Values {
  readonly #nowMs: () => number
  readonly #live = new Map<string, Value>()
  readonly #superseded = new Set<string>()
  readonly #movedFrom = new Map<string, Set<string>>()
  #count = 0

  constructor({ nowMs }: { nowMs: () => number }) {
    this.#nowMs = nowMs
  }

  /** A content that nobody wrote before. */
  fresh(host: string, path: string, tail = ''): string {
    const value = `v${++this.#count};${tail}`
    this.add(value, host, path)
    return value
  }

  add(value: string, host: string, path: string): void {
    this.#live.set(value, {
      host,
      path,
      writtenMs: this.#nowMs(),
      isSynced: false,
      doubtfulOn: new Set(),
    })
  }

  /** Files of these contents are about to be overwritten or deleted. */
  supersede(contents: Iterable<string>): void {
    for (const content of contents) {
      this.#live.delete(content)
      this.#superseded.add(content)
    }
  }

  supersedeDigests(digests: ReadonlySet<string>): void {
    if (digests.size > 0)
      this.supersede([...this.#live.keys()].filter((content) => digests.has(digestOf(content))))
  }

  /** What nobody superseded. */
  live(): string[] {
    return [...this.#live.keys()]
  }

  /** Nobody superseded it, nor moved it away from that path. */
  isLiveAt(value: string, path: string): boolean {
    return this.#live.has(value) && this.#movedFrom.get(value)?.has(path) !== true
  }

  /** Files of these contents are about to be renamed: what they were called is free. */
  moved(contents: Iterable<readonly [path: string, content: string]>): void {
    for (const [path, content] of contents) {
      const from = this.#movedFrom.get(content) ?? new Set()
      this.#movedFrom.set(content, from.add(path))
    }
  }

  isSuperseded(value: string): boolean {
    return this.#superseded.has(value)
  }

  /** What is in the file now will be there after a power loss. */
  synced(host: string, hands: Hands, path: string): void {
    for (const content of contentsBelow(hands, path)) {
      const value = this.#live.get(content)
      if (value?.host === host) value.isSynced = true
    }
  }

  /** A disaster took `host`'s disk, or some of it: what nobody else has, and nobody promised to keep there, is gone with it. */
  forgive(isKept: (content: string, value: Value) => boolean): void {
    for (const [content, value] of this.#live) {
      if (!isKept(content, value)) this.#live.delete(content)
    }
  }

  /** Values that must be somewhere and are not, with where they were written. */
  missingFrom(found: ReadonlySet<string>): string[] {
    return [...this.#live]
      .filter(([content]) => !found.has(content))
      .map(([content, { host, path }]) => `${content} (${host} ${path})`)
  }
}
