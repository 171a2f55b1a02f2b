import { withInterval, type IntervalSet } from '../../core/interval-set.ts'
import type { OutcomeRange, Sequence } from '../../core/protocol.ts'

/**
 * Runs kept for each reason. What another version announces and this one refuses comes in runs; of a flood of single ones the oldest are
 * forgotten, and whoever sent it is told on its next link that they are done.
 */
const keptRuns = 1_000

/** Sequences whose entries were malformed: recorded nowhere else, told as refused on every link. */
export class Refusals {
  readonly #byCode = new Map<string, IntervalSet>()

  add({ from, to }: { readonly from: Sequence; readonly to: Sequence }, code: string): void {
    const runs = withInterval(this.#byCode.get(code) ?? [], { from, to })
    this.#byCode.set(code, runs.length > keptRuns ? runs.slice(-keptRuns) : runs)
  }

  /** Those that end at `lowest` or above it. */
  from(lowest: Sequence): OutcomeRange[] {
    const ranges: OutcomeRange[] = []
    for (const [code, runs] of this.#byCode) {
      for (const { from, to } of runs)
        if (to >= lowest) ranges.push({ from, to, outcome: { kind: 'refused', code } })
    }
    return ranges
  }
}
