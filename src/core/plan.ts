import type { Entry } from './entry.ts'
import { depthOf } from './relative-path.ts'

/**
 * The order in which decided entries are put on the disk (rules 11 and 15): what appears, parents before children; then what goes, children
 * before parents, so that a renamed file's content is still here to be copied from.
 */
export function orderForApply<Step extends { readonly entry: Entry }>(
  steps: readonly Step[],
): Step[] {
  const appearing = steps.filter(({ entry }) => entry.kind !== 'tombstone')
  const going = steps.filter(({ entry }) => entry.kind === 'tombstone')
  return [...appearing.toSorted(byDepth), ...going.toSorted((a, b) => byDepth(b, a))]
}

/**
 * The order in which one round of findings is announced (rule 15): creations before removals; removals children first. A path whose
 * directory gave way to something else comes after the removals below it.
 */
export function orderForAnnouncement<
  Step extends { readonly entry: Entry; readonly replacesDirectory: boolean },
>(steps: readonly Step[]): Step[] {
  const isRemoval = (step: Step) => step.entry.kind === 'tombstone' || step.replacesDirectory
  const created = steps.filter((step) => !isRemoval(step))
  const removed = steps.filter(isRemoval)
  return [...created.toSorted(byDepth), ...removed.toSorted((a, b) => byDepth(b, a))]
}

function byDepth(a: { readonly entry: Entry }, b: { readonly entry: Entry }): number {
  const difference = depthOf(a.entry.path) - depthOf(b.entry.path)
  if (difference !== 0) return difference
  return a.entry.path < b.entry.path ? -1 : a.entry.path > b.entry.path ? 1 : 0
}
