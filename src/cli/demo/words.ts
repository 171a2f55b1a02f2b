import { toText } from '../../core/relative-path.ts'
import type { Item } from './tree.ts'

/** Something of each of the two sides. */
export type Pair<Value> = readonly [Value, Value]

export type Side = 0 | 1
export type Verb = 'appeared' | 'changed' | 'was deleted'

/** A change that one side has. */
export interface Change {
  /** One character a byte. */
  readonly path: string
  readonly kind: Item['kind']
  readonly verb: Verb
  readonly from: Side
}

/** A change that both sides have. */
export interface Arrival extends Change {
  readonly delayMs: number
}

/** More changes at a time than this are told as a number. */
const mostLines = 12

/** Sentences for changes that have arrived. */
export function tellArrivals(arrivals: readonly Arrival[], names: Pair<string>): readonly string[] {
  if (arrivals.length <= mostLines) return arrivals.map((arrival) => tellArrival(arrival, names))
  const sides = [0, 1] as const
  const groups = (['appeared', 'changed', 'was deleted'] as const).flatMap((verb) =>
    sides.map((from) =>
      arrivals.filter((arrival) => arrival.verb === verb && arrival.from === from),
    ),
  )
  return groups.flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    return [group.length === 1 ? tellArrival(first, names) : tellGroup(group, first, names)]
  })
}

/** Sentences for changes that take their time. */
export function tellLate(late: readonly Change[], names: Pair<string>): readonly string[] {
  if (late.length > mostLines) return [`${late.length} changes are on their way`]
  return late.map(
    (change) => `${tellChange(change, names)}; not in ${names[otherOf(change.from)]} yet`,
  )
}

/** The side across. */
export function otherOf(side: Side): Side {
  return side === 0 ? 1 : 0
}

function tellArrival(arrival: Arrival, names: Pair<string>): string {
  const isCopy = /\.sync-conflict-\d{8}-\d{6}-[0-9a-f]{8}[^/]*$/.test(arrival.path)
  if (isCopy && arrival.verb === 'appeared')
    return `both sides had changed the same file: the version that lost is kept as ${toText(arrival.path)}`
  const later = arrival.delayMs < 1 ? 'at once' : `${describeMs(arrival.delayMs)} later`
  return `${tellChange(arrival, names)}, and ${later} in ${names[otherOf(arrival.from)]}`
}

function tellGroup(
  group: readonly Arrival[],
  { verb, from }: Arrival,
  names: Pair<string>,
): string {
  const slowestMs = group.reduce((slowest, { delayMs }) => Math.max(slowest, delayMs), 0)
  const what = verb === 'was deleted' ? 'were deleted' : verb
  const later = `each at most ${describeMs(slowestMs)} later in ${names[otherOf(from)]}`
  return `${group.length} entries ${what} in ${names[from]}, and ${later}`
}

function tellChange({ path, kind, verb, from }: Change, names: Pair<string>): string {
  return `${kind === 'file' ? '' : `${kind} `}${toText(path)} ${verb} in ${names[from]}`
}

function describeMs(delayMs: number): string {
  return delayMs < 1000 ? `${Math.round(delayMs)} ms` : `${(delayMs / 1000).toFixed(1)} s`
}
