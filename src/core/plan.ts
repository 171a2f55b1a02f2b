import type { Entry } from './entry.ts'
import { ancestorsOf, depthOf, type RelativePath } from './relative-path.ts'

/**
 * The order in which decided entries are put on the disk (rules 11 and 15): what appears, parents before children; then what goes, children
 * before parents, so that a renamed file's content is still here to be copied from; last what takes the place of a directory that was
 * emptied so.
 */
export function orderForApply<Step extends { readonly entry: Entry }>(
  steps: readonly Step[],
): Step[] {
  const going = steps.filter(({ entry }) => entry.kind === 'tombstone')
  const emptied = new Set<RelativePath>(going.flatMap(({ entry }) => ancestorsOf(entry.path)))
  const isReplacing = ({ entry }: Step) => entry.kind !== 'directory' && emptied.has(entry.path)
  const appearing = steps.filter((step) => step.entry.kind !== 'tombstone' && !isReplacing(step))
  const replacing = steps.filter((step) => step.entry.kind !== 'tombstone' && isReplacing(step))
  return [
    ...appearing.toSorted(byDepth),
    ...going.toSorted((a, b) => byDepth(b, a)),
    ...replacing.toSorted(byDepth),
  ]
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
