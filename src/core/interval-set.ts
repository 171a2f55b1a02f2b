/** Whole numbers `from` to `to`, both included; `from` is never above `to`. */
export interface Interval {
  readonly from: number
  readonly to: number
}

/**
 * A set of safe integers that come mostly in runs, as acknowledged sequences do (rule 17): ascending intervals that neither overlap nor touch,
 * so that equal sets are equal lists. Values; `withInterval` gives a new one.
 */
export type IntervalSet = readonly Interval[]

export const emptyIntervals: IntervalSet = []

/** The set with `added` in it; the same set where it was all there. An interval that ends before it begins adds nothing. */
export function withInterval(set: IntervalSet, added: Interval): IntervalSet {
  if (added.from > added.to) return set
  const first = indexOfFirst(set, ({ to }) => to >= added.from - 1)
  const after = indexOfFirst(set, ({ from }) => from > added.to + 1)
  const [lowest, highest] = [set[first], set[after - 1]]
  if (first >= after || lowest === undefined || highest === undefined) {
    return set.toSpliced(first, 0, { from: added.from, to: added.to })
  }
  if (lowest.from <= added.from && lowest.to >= added.to) return set
  const joined = {
    from: Math.min(lowest.from, added.from),
    to: Math.max(highest.to, added.to),
  }
  return set.toSpliced(first, after - first, joined)
}

export function hasNumber(set: IntervalSet, number: number): boolean {
  const interval = set[indexOfFirst(set, ({ to }) => to >= number)]
  return interval !== undefined && interval.from <= number
}

/** How many numbers are in the set. */
export function countNumbers(set: IntervalSet): number {
  return set.reduce((count, { from, to }) => count + (to - from + 1), 0)
}

/** What of `within` is not in the set, ascending. */
export function missingIntervals(set: IntervalSet, within: Interval): Interval[] {
  const missing: Interval[] = []
  let next = within.from
  for (let i = indexOfFirst(set, ({ to }) => to >= within.from); i < set.length; i++) {
    const interval = set[i]
    if (interval === undefined || interval.from > within.to) break
    if (interval.from > next) missing.push({ from: next, to: interval.from - 1 })
    next = interval.to + 1
  }
  if (next <= within.to) missing.push({ from: next, to: within.to })
  return missing
}

/** Index of the first interval for which `holds`, by bisection: it must hold for all after one for which it does. */
function indexOfFirst(set: IntervalSet, holds: (interval: Interval) => boolean): number {
  let [low, high] = [0, set.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const interval = set[middle]
    if (interval !== undefined && holds(interval)) high = middle
    else low = middle + 1
  }
  return low
}
