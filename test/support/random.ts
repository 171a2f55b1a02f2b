import type { Chance } from '../../src/engine/ports.ts'

/** A seeded random source: mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export class Random implements Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 <= x < 1 */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** 0 <= n < bound */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound)
  }

  isLikely(probability: number): boolean {
    return this.fraction() < probability
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  id64(): string {
    const half = (): string =>
      this.below(2 ** 32)
        .toString(16)
        .padStart(8, '0')
    return half() + half()
  }

  /** Another source that this one seeds: what it is used for does not change what this one gives. */
  fork(): Random {
    return new Random(this.below(2 ** 32))
  }
}
