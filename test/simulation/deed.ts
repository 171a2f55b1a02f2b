import type { Random } from '../support/random.ts'
import type { VirtualTime } from '../support/virtual-clock.ts'
import type { Forks } from './forks.ts'
import type { Station } from './memory-network.ts'
import type { SimPeer } from './sim-peer.ts'
import type { Values } from './values.ts'
import type { Wire } from './wire.ts'

/** Where deeds are done. */
export interface Scene {
  readonly peers: readonly SimPeer[]
  readonly wire: Wire<Station>
  readonly time: VirtualTime
  readonly values: Values
  readonly forks: Forks
  /** Counts what is still going on: a history is at rest only at 0. */
  readonly going: { count: number }
  /** Kinds of deeds that were done, as they are done. */
  readonly done: Set<string>
}

/** One kind of step. */
export interface Deed {
  /** Arguments, out of chance alone: they must make sense (or do nothing) whatever happened before. */
  readonly draw: (random: Random, peers: number) => string[]
  /** Does it; what is not possible there and then is left out by throwing `NotPossible`, or whatever the disk says. */
  readonly act: (scene: Scene, peer: SimPeer, args: readonly string[]) => void | Promise<void>
}

/** The step makes no sense now. */
export class NotPossible extends Error {
  override readonly name = 'NotPossible'
}

export function numberIn(args: readonly string[], index: number): number {
  const number = Number(args[index])
  if (!Number.isFinite(number)) throw new Error(`argument ${index} of ${args.join(' ')}: a number`)
  return number
}

export function peerIn(scene: Scene, args: readonly string[], index: number): SimPeer {
  const peer = scene.peers[numberIn(args, index)]
  if (peer === undefined) throw new NotPossible('no such peer')
  return peer
}
