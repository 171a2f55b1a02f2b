import { faultCodes } from './faults.ts'
import { numberIn, peerIn, type Deed } from './deed.ts'

const other: Deed['draw'] = (random, peers) => [`${random.below(peers)}`]

/** What happens to the network, and what disks refuse. */
export const wireDeeds = {
  cut: {
    draw: other,
    act: (scene, peer, args) => scene.wire.cut(peer.name, peerIn(scene, args, 0).name),
  },

  join: {
    draw: other,
    act: (scene, peer, args) => scene.wire.join(peer.name, peerIn(scene, args, 0).name),
  },

  break: { draw: () => [], act: ({ wire }, peer) => wire.breakOne(peer.name) },

  slow: {
    draw: (random) => [`${random.pick([5, 30, 300, 2_000])}`],
    act: ({ wire }, _, args) => {
      wire.maxDelayMs = numberIn(args, 0)
    },
  },

  /** The names of the peers resolve to nothing, then to the same again. */
  dns: {
    draw: () => [],
    act: (_, peer) => {
      peer.isUnresolved = !peer.isUnresolved
    },
  },

  refuse: {
    draw: (random) => [
      random.pick(faultCodes),
      random.pick(['1', '0.3', '0.05']),
      `${random.below(4_000)}`,
    ],
    act: (_, peer, args) =>
      peer.faults.refuse(args[0] ?? '', { share: numberIn(args, 1), forMs: numberIn(args, 2) }),
  },

  'fill-store': {
    draw: (random) => [`${random.below(4_000)}`],
    act: (_, peer, args) => peer.faults.fillStore(numberIn(args, 0)),
  },
} satisfies Record<string, Deed>
