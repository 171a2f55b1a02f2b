import * as fc from 'fast-check'

/**
 * Runs a property many times; a failure shrinks and prints its seed and path. `FC_SEED=<seed>` repeats the run, `FC_RUNS=<n>` runs more
 * (or fewer) of them.
 */
export function check<Values>(
  property: fc.IProperty<Values>,
  options: { readonly runs?: number } = {},
): void {
  fc.assert(property, { seed, numRuns: Number(process.env['FC_RUNS'] ?? options.runs ?? 1000) })
}

const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
