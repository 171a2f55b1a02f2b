/** Numbers that look random and come again from their seed (mulberry32). */
export interface Chance {
  /** A whole number from 0 to `below` - 1. */
  whole(below: number): number
  /** True in `percent` of 100 cases. */
  percent(percent: number): boolean
  pick<T>(from: readonly [T, ...T[]]): T
}

export function chanceFrom(seed: number): Chance {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const whole = (below: number) => next() % below
  return {
    whole,
    percent: (percent) => whole(100) < percent,
    pick: (from) => from[whole(from.length)] ?? from[0],
  }
}
