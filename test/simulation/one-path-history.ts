import { chanceFrom, type Chance } from './one-path-chance.ts'

/**
 * One thing that happens. Peers are numbers; `path` picks among the path and its conflict copies as the peer sees them (0: the path itself).
 * A step that cannot be taken (a delete of nothing) does nothing, so that any part of a history is a history.
 */
export type Step =
  | {
      readonly do: 'write'
      readonly peer: number
      readonly path: number
      readonly kind: 'file' | 'symlink' | 'directory'
      readonly content: number
      readonly mode: number
      /** Seconds. */
      readonly mtime: number
    }
  | { readonly do: 'delete'; readonly peer: number; readonly path: number }
  | { readonly do: 'chmod'; readonly peer: number; readonly path: number; readonly mode: number }
  | { readonly do: 'touch'; readonly peer: number; readonly path: number; readonly mtime: number }
  /** `from` sends what changed since it last did, coalesced, at most `limit` entries. */
  | { readonly do: 'announce'; readonly from: number; readonly to: number; readonly limit: number }
  /** One message on the way arrives; `twice`: it also stays on its way. `isApplied`: its entries are applied at once. */
  | {
      readonly do: 'deliver'
      readonly from: number
      readonly to: number
      readonly pick: number
      readonly twice: boolean
      readonly isApplied: boolean
    }
  /** What is recorded of `from` is applied; `dies`: the disk gets it, the index does not, and a scan finds it after the restart. */
  | {
      readonly do: 'apply'
      readonly peer: number
      readonly from: number
      readonly path: number
      readonly dies: boolean
    }
  /** The bytes of what is recorded are fetched ahead of applying. */
  | { readonly do: 'fetch'; readonly peer: number; readonly from: number; readonly path: number }
  /** The link breaks: what is on its way is lost, `from` goes on behind what `to` recorded. */
  | { readonly do: 'reconnect'; readonly from: number; readonly to: number }

type Topology = 'mesh' | 'chain' | 'star' | 'ring'

/**
 * - orderly: messages of a link arrive in order, everything is applied in order of sequence as it arrives, and no mode or mtime differs: then
 *   rule 4 holds at every moment, not only at rest. Else a conflict copy may get another sequence than that under which it was made.
 * - ordered: messages arrive in order, and are applied whenever.
 * - reordered: messages arrive in any order.
 */
type Order = 'orderly' | 'ordered' | 'reordered'

export interface History {
  readonly seed: number
  readonly peers: number
  readonly topology: Topology
  readonly order: Order
  /** A peer does not announce what it knows that the other announced itself, value for value (rule 16). */
  readonly isSparing: boolean
  /** By peer: whether its volume keeps modes, and how far its clock is off. */
  readonly keepsModes: readonly boolean[]
  readonly clockSkewMs: readonly number[]
  readonly steps: readonly Step[]
}

interface Shape extends Omit<History, 'seed' | 'steps'> {
  /** How many writes of 100 are of a content that was written before. */
  readonly repeats: number
  /** So many different mtimes there are: with few of them the winner is often decided by the digest. */
  readonly mtimes: number
}

/** The history of a seed, always the same. */
export function historyOf(seed: number): History {
  const chance = chanceFrom(seed)
  const peers = 2 + chance.whole(4)
  const length = chance.pick([6, 10, 15, 20, 30, 50, 80])
  const order = chance.pick<Order>(['orderly', 'ordered', 'ordered', 'reordered', 'reordered'])
  const each = Array.from({ length: peers })
  const shape: Shape = {
    peers,
    topology: chance.pick<Topology>(['mesh', 'chain', 'star', 'ring']),
    order,
    isSparing: chance.percent(50),
    keepsModes: each.map(() => !chance.percent(10)),
    clockSkewMs: each.map(() => (chance.percent(20) ? chance.whole(2000) : chance.whole(5))),
    repeats: order === 'orderly' ? 0 : chance.pick([0, 10, 10, 40]),
    mtimes: chance.pick([2, 10, 10]),
  }
  const steps = Array.from({ length }, (_, i) => stepOf(chance, shape, i + 1))
  const { repeats: _, mtimes: __, ...history } = shape
  return { seed, ...history, steps }
}

/** `content` is the number of a content that nobody wrote before. */
function stepOf(chance: Chance, shape: Shape, content: number): Step {
  const isOrderly = shape.order === 'orderly'
  const peer = chance.whole(shape.peers)
  const near = neighboursOf(peer, shape)
  const other = near[chance.whole(near.length)] ?? 0
  const path = chance.percent(75) ? 0 : 1 + chance.whole(3)
  const roll = chance.whole(100)
  if (roll < 24) return writeOf(chance, shape, { peer, path, content })
  if (roll < 30) return { do: 'delete', peer, path }
  if (roll < 34 && !isOrderly) return { do: 'chmod', peer, path, mode: anyMode(chance) }
  if (roll < 38 && !isOrderly) return { do: 'touch', peer, path, mtime: chance.whole(shape.mtimes) }
  if (roll < 58) return { do: 'announce', from: peer, to: other, limit: 1 + chance.whole(6) }
  if (roll < 86) {
    return {
      do: 'deliver',
      from: peer,
      to: other,
      pick: shape.order === 'reordered' ? chance.whole(4) : 0,
      twice: chance.percent(15),
      isApplied: isOrderly || chance.percent(80),
    }
  }
  if (roll < 89 || isOrderly) return { do: 'reconnect', from: peer, to: other }
  const anyPath = chance.percent(60) ? 0 : 1 + chance.whole(3)
  if (roll < 97) return { do: 'apply', peer, from: other, path: anyPath, dies: chance.percent(25) }
  return { do: 'fetch', peer, from: other, path: anyPath }
}

function writeOf(
  chance: Chance,
  shape: Shape,
  { peer, path, content }: { peer: number; path: number; content: number },
): Step {
  return {
    do: 'write',
    peer,
    path,
    kind: chance.percent(85) ? 'file' : chance.pick(['symlink', 'symlink', 'directory']),
    content: chance.percent(shape.repeats) ? 1 + chance.whole(content) : content,
    mode: shape.order === 'orderly' ? 0o644 : anyMode(chance),
    mtime: chance.whole(shape.mtimes),
  }
}

function anyMode(chance: Chance): number {
  return chance.pick([0o644, 0o644, 0o600, 0o755])
}

/** Who tells whom: in both directions of each link. */
export function neighboursOf(
  peer: number,
  { peers, topology }: Pick<History, 'peers' | 'topology'>,
): number[] {
  const all = Array.from({ length: peers }, (_, other) => other).filter((other) => other !== peer)
  switch (topology) {
    case 'mesh':
      return all
    case 'chain':
      return all.filter((other) => Math.abs(other - peer) === 1)
    case 'star':
      return all.filter((other) => other === 0 || peer === 0)
    case 'ring':
      return all.filter((other) => [1, peers - 1].includes(Math.abs(other - peer)))
  }
}
