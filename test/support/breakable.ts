import type * as conflict from '../../src/core/conflict.ts'
import type { Entry } from '../../src/core/entry.ts'
import type * as merge from '../../src/core/merge.ts'
import type * as reconcile from '../../src/core/reconcile.ts'
import type * as winner from '../../src/core/winner.ts'

/* Modules that a test mocks are imported here as types only: this is loaded while they are. */

/** Functions of core that take the place of those that ship, each of which is handed on as `original`. */
export interface CoreBreaks {
  readonly reconcile?: (
    original: typeof reconcile.reconcile,
    ...given: Parameters<typeof reconcile.reconcile>
  ) => reconcile.Decision
  readonly mergeOver?: (original: typeof merge.mergeOver, a: Entry, b: Entry) => Entry
  readonly compareForWinner?: typeof winner.compareForWinner
  readonly conflictCopyOf?: (copy: conflict.Loser, loser: conflict.Loser) => conflict.Loser
}

/** What is broken at the moment. */
interface Broken {
  readonly now: CoreBreaks
}

/** What `replacement` gives at the time of each call, or the original. */
export function breakable<Given extends unknown[], Result>(
  original: (...given: Given) => Result,
  replacement: () => ((...given: Given) => Result) | undefined,
): (...given: Given) => Result {
  return (...given) => (replacement() ?? original)(...given)
}

/** core/reconcile.ts as it ships, with what is broken of it. */
export function breakableReconcile(original: typeof reconcile, broken: Broken): typeof reconcile {
  return {
    ...original,
    reconcile: (...given) =>
      broken.now.reconcile?.(original.reconcile, ...given) ?? original.reconcile(...given),
  }
}

/** core/merge.ts, likewise. */
export function breakableMerge(original: typeof merge, broken: Broken): typeof merge {
  return {
    ...original,
    mergeOver: (a, b) =>
      broken.now.mergeOver?.(original.mergeOver, a, b) ?? original.mergeOver(a, b),
  }
}

/** core/winner.ts, likewise. */
export function breakableWinner(original: typeof winner, broken: Broken): typeof winner {
  const { compareForWinner } = original
  return {
    ...original,
    compareForWinner: breakable(compareForWinner, () => broken.now.compareForWinner),
  }
}

/** core/conflict.ts, likewise. */
export function breakableConflict(original: typeof conflict, broken: Broken): typeof conflict {
  return {
    ...original,
    conflictCopyOf: (loser, attempt) => {
      const copy = original.conflictCopyOf(loser, attempt)
      return broken.now.conflictCopyOf?.(copy, loser) ?? copy
    },
  }
}
