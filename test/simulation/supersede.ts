import { contentsBelow } from './contents.ts'
import type { SimPeer } from './sim-peer.ts'
import type { Values } from './values.ts'

/**
 * Whatever is at `path` (and below) is about to be overwritten or deleted there. After a power loss, or where files went by accident and their
 * deletes may be held back, the disk may hold less than the index says; who changes that changes what the index says.
 */
export function supersede(values: Values, { hands, host, brake }: SimPeer, path: string): void {
  values.supersede(contentsBelow(hands, path))
  if (host.hasLostPower || brake !== null) values.supersedeDigests(host.digestsBelow(path))
}
