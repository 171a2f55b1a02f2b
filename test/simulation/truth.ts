import { syncedTreeOf } from './checks.ts'
import type { Station } from './memory-network.ts'
import type { SimPeer } from './sim-peer.ts'
import type { Wire } from './wire.ts'

/** So long after the last deed the events of it were received: who says `inSync` must be right. */
export const quietMs = 1_000

/**
 * Rule 18: whoever says that it is in sync has the same as everybody it lists, as of every event received; to be asked when nobody has done
 * anything for a while. In words who is wrong, or null.
 */
export function lieOf(peers: readonly SimPeer[], wire: Wire<Station>): string | null {
  const apart = pairsApart(peers)
  if (apart.length === 0) return null
  const sure = new Set(peers.filter(({ engine }) => engine?.status().inSync === true))
  const known = apart.filter(([peer, other]) => sure.has(peer) && isTold(peer, other, wire))
  // Asked last: who is asked for his status looks at his disk, and somebody may meddle just then.
  const quiet = new Set(
    peers.filter(({ faults }) => !faults.isActive && !faults.isMeddled(quietMs)),
  )
  const isAgreed = sure.size === peers.length && quiet.size === peers.length
  const lie = isAgreed ? apart[0] : known.find((pair) => pair.every((peer) => quiet.has(peer)))
  if (lie === undefined) return null
  const [peer, other] = lie
  return `${peer.name} says that it is in sync, but the trees of ${peer.name} and ${other.name} differ`
}

/** Peers with others that they list and that have something else. */
function pairsApart(peers: readonly SimPeer[]): (readonly [SimPeer, SimPeer])[] {
  const trees = new Map(peers.map((peer) => [peer, syncedTreeOf(peer)]))
  return peers.flatMap((peer) =>
    peers
      .filter((other) => peer.listed.includes(other.name))
      .filter((other) => trees.get(peer) !== trees.get(other))
      .map((other): readonly [SimPeer, SimPeer] => [peer, other]),
  )
}

/** What `other` has `peer` must know: it has nothing more to look at or to fetch, and what it told has arrived. */
function isTold(peer: SimPeer, other: SimPeer, wire: Wire<Station>): boolean {
  const isIdle = other.engine?.status().volume.state === 'idle'
  return isIdle && wire.isQuiet(peer.name, other.name, quietMs)
}
