import type { Hands } from '../support/hands.ts'

/**
 * What people wrote, and what became of it: a value is superseded when somebody overwrites or deletes the file that holds it, on the disk where he sees it.
 * Every value that nobody superseded must be found on every peer in the end.
 */
export class Values {
  readonly #live = new Map<string, string>()
  #count = 0

  /** A content that nobody wrote before. `where` is for people who read a failure. */
  fresh(where: string): string {
    const value = `v${++this.#count};`
    this.#live.set(value, where)
    return value
  }

  /** Whatever is at `path` (and below) is about to be overwritten or deleted there. */
  supersede(hands: Hands, path: string): void {
    for (const [at, shown] of hands.tree()) {
      if (at !== path && !at.startsWith(`${path}/`)) continue
      const content = /^f \d+ (.*)$/s.exec(shown)?.[1]
      if (content !== undefined) this.#live.delete(content)
    }
  }

  /** Values that must be somewhere in a tree and are not, with where they were written. */
  missingFrom(tree: ReadonlyMap<string, string>): string[] {
    const found = new Set([...tree.values()].map((shown) => /^f \d+ (.*)$/s.exec(shown)?.[1]))
    return [...this.#live]
      .filter(([value]) => !found.has(value))
      .map(([value, where]) => `${value} (${where})`)
  }
}
