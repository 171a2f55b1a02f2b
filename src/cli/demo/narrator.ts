/**
 * Tells in words what happens in two folders that are kept equal, from looking at both again and again. A path that differs is
 * pending since the side that changed first; when both sides are equal again it has arrived.
 */
import {
  type Arrival,
  type Change,
  otherOf,
  type Pair,
  type Side,
  tellArrivals,
  tellLate,
  type Verb,
} from './words.ts'
import type { Item, Tree } from './tree.ts'

export interface Narrator {
  /** What to say after both sides were looked at, at `nowMs` of this machine's clock. */
  look(trees: Pair<Tree>, nowMs: number): readonly string[]
}

/** A change that takes longer is told before it has arrived. */
const patienceMs = 1000

/** Lines wait this long for others, so that many can be told as one. */
const quietMs = 250

/** While something always happens, it is told at least this often. */
const longestSilenceMs = 1500

interface Pending extends Change {
  /** When the side that changed first was changed last. */
  readonly changedMs: number
  readonly seenMs: number
  readonly isTold: boolean
}

/** Begins with both sides as they are; `names` are what the sides are called. */
export function createNarrator(names: Pair<string>, start: Pair<Tree>): Narrator {
  let before = start
  const pendings = new Map<string, Pending>()
  let arrivals: Arrival[] = []
  let firstMs = 0
  let lastMs = 0
  let lateMs = Number.NEGATIVE_INFINITY

  const note = (path: string, now: Pair<Item | undefined>, nowMs: number): void => {
    const was: Pair<Item | undefined> = [before[0].get(path), before[1].get(path)]
    const pending = pendingOf(path, { known: pendings.get(path), was, now, nowMs })
    if (!isEqual(now[0], now[1])) {
      pendings.set(path, pending)
      return
    }
    pendings.delete(path)
    const arrived = now[otherOf(pending.from)]
    // Made and removed before the other side had it: nothing has happened.
    if (arrived === undefined && pending.verb !== 'was deleted') return
    // A folder's time changes with what is put into it.
    const isTimed = pending.kind !== 'folder' || pending.verb === 'appeared'
    const [fromMs, toMs] = isTimed
      ? [pending.changedMs, arrived?.changedMs ?? nowMs]
      : [pending.seenMs, nowMs]
    arrivals.push({ ...pending, delayMs: Math.max(0, toMs - fromMs) })
    if (arrivals.length === 1) firstMs = nowMs
    lastMs = nowMs
  }

  const takeArrivals = (nowMs: number): readonly Arrival[] => {
    const isDue = nowMs - lastMs >= quietMs || nowMs - firstMs >= longestSilenceMs
    const due = isDue ? arrivals : []
    if (isDue) arrivals = []
    return due
  }

  const takeLate = (nowMs: number): readonly Change[] => {
    const untold = [...pendings].filter(([, { isTold }]) => !isTold)
    const isLate = untold.some(([, { seenMs }]) => nowMs - seenMs >= patienceMs)
    if (!isLate || nowMs - lateMs < patienceMs) return []
    lateMs = nowMs
    for (const [path, pending] of untold) pendings.set(path, { ...pending, isTold: true })
    return untold.map(([, pending]) => pending)
  }

  return {
    look: (trees, nowMs) => {
      for (const path of changedPaths(before, trees))
        note(path, [trees[0].get(path), trees[1].get(path)], nowMs)
      before = trees
      return [...tellArrivals(takeArrivals(nowMs), names), ...tellLate(takeLate(nowMs), names)]
    },
  }
}

function pendingOf(
  path: string,
  {
    known,
    was,
    now,
    nowMs,
  }: {
    readonly known: Pending | undefined
    readonly was: Pair<Item | undefined>
    readonly now: Pair<Item | undefined>
    readonly nowMs: number
  },
): Pending {
  const from = known?.from ?? firstChanged(was, now)
  const origin = now[from]
  return {
    path,
    from,
    verb: known?.verb ?? verbOf(was[from], origin),
    kind: (origin ?? was[from])?.kind ?? known?.kind ?? 'file',
    // While it is written on, the clock starts anew.
    changedMs: origin?.changedMs ?? known?.changedMs ?? nowMs,
    seenMs: known?.seenMs ?? nowMs,
    isTold: known?.isTold ?? false,
  }
}

function firstChanged(was: Pair<Item | undefined>, now: Pair<Item | undefined>): Side {
  if (isEqual(was[0], now[0])) return 1
  if (isEqual(was[1], now[1])) return 0
  return (now[1]?.changedMs ?? Infinity) < (now[0]?.changedMs ?? Infinity) ? 1 : 0
}

function verbOf(was: Item | undefined, now: Item | undefined): Verb {
  if (now === undefined) return 'was deleted'
  return was === undefined ? 'appeared' : 'changed'
}

function changedPaths(before: Pair<Tree>, after: Pair<Tree>): ReadonlySet<string> {
  const changed = new Set<string>()
  for (const side of [0, 1] as const) {
    for (const [path, item] of after[side])
      if (!isEqual(before[side].get(path), item)) changed.add(path)
    for (const path of before[side].keys()) if (!after[side].has(path)) changed.add(path)
  }
  return changed
}

function isEqual(one: Item | undefined, another: Item | undefined): boolean {
  return one?.fingerprint === another?.fingerprint
}
