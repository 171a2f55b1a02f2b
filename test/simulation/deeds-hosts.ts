import { NotPossible, numberIn, peerIn, type Deed, type Scene } from './deed.ts'
import type { SimPeer } from './sim-peer.ts'
import { usualCrashPoints } from './crash-points.ts'
import { contentsOn } from './contents.ts'

/** A full scan comes every 5 minutes, give or take a quarter. */
export const nextScanMs = 400_000

const nothing: Deed['draw'] = () => []

/** What happens to hosts and their processes. */
export const hostDeeds = {
  start: { draw: nothing, act: (_, peer) => peer.start() },

  /** Starts, and ends at an effect: by kill -9 or by a power loss. */
  'start-until': {
    draw: (random) => [`${1 + random.below(150)}`, random.pick(['kill', 'kill', 'power'])],
    act: (_, peer, args) => {
      if (peer.isUp) throw new NotPossible('is up')
      return peer.start({ endAt: numberIn(args, 0), isPowerLost: args[1] === 'power' })
    },
  },

  /** The process ends at one of its next effects. */
  doom: {
    draw: (random) => [`${1 + random.below(60)}`],
    act: (_, peer, args) => {
      const life = peer.process?.life
      if (life === undefined) throw new NotPossible('is not up')
      life.endAt = life.effects + numberIn(args, 0)
    },
  },

  /** The first process that comes to a certain effect ends there. */
  'doom-at': {
    draw: (random) => [random.pick(usualCrashPoints)],
    act: (_, peer, args) => peer.doomAt(args[0] ?? ''),
  },

  kill: { draw: nothing, act: (_, peer) => peer.kill() },

  stop: {
    draw: nothing,
    act: (_, peer) => peer.stop(),
  },

  power: { draw: nothing, act: (_, peer) => peer.losePower() },

  /** The wall clock jumps. */
  clock: {
    draw: (random) => [`${Math.round((random.fraction() - 0.5) * 7_200_000)}`],
    act: (_, peer, args) => {
      peer.host.clock.skewMs = numberIn(args, 0)
    },
  },

  /** Events are lost for a while. */
  deaf: {
    draw: (random) => [`${random.below(5_000)}`],
    act: (scene, peer, args) => {
      const { process } = peer
      if (process === null) throw new NotPossible('is not up')
      process.deafen(true)
      scene.going.count++
      scene.time.after(numberIn(args, 0), () => process.deafen(false))
      // What was missed is found by the next full scan.
      scene.time.after(numberIn(args, 0) + nextScanMs, () => scene.going.count--)
    },
  },

  backup: { draw: nothing, act: (_, peer) => peer.host.backUp() },

  /** Disk and index of a while ago. */
  restore: {
    draw: (random) => [`${random.below(5)}`],
    act: (scene, peer, args) =>
      restore(scene, peer, { index: numberIn(args, 0), isDiskAlone: false }),
  },

  /** The disk of a while ago, with the index of now. */
  'restore-disk': {
    draw: (random) => [`${random.below(5)}`],
    act: async (scene, peer, args) => {
      if (peer.isStateInside) throw new NotPossible('the index is on that disk')
      await peer.stop()
      restore(scene, peer, { index: numberIn(args, 0), isDiskAlone: true })
    },
  },

  'lose-index': {
    draw: nothing,
    act: (_, peer) => {
      peer.kill()
      peer.host.loseIndex()
    },
  },

  /** The host becomes a copy of another one: its disk and index, as a snapshot has them. */
  clone: {
    draw: (random, peers) => [`${random.below(peers)}`],
    act: (scene, peer, args) =>
      become(scene, peer, { other: peerIn(scene, args, 0), isCopied: false }),
  },

  /** The same file by file. */
  rsync: {
    draw: (random, peers) => [`${random.below(peers)}`],
    act: (scene, peer, args) =>
      become(scene, peer, { other: peerIn(scene, args, 0), isCopied: true }),
  },
} satisfies Record<string, Deed>

function restore(
  scene: Scene,
  peer: SimPeer,
  { index, isDiskAlone }: { index: number; isDiskAlone: boolean },
): void {
  const { host } = peer
  const backup = host.backups[index % Math.max(1, host.backups.length)]
  if (backup === undefined) throw new NotPossible('no backup')
  peer.kill()
  const issued = host.issuedAs(backup.store.identity().peerId)
  if (!isDiskAlone) scene.forks.rolledBack(peer, issued, backup)
  host.restore(backup, { isDiskAlone })
  forgive(scene)
}

function become(
  scene: Scene,
  peer: SimPeer,
  { other, isCopied }: { other: SimPeer; isCopied: boolean },
): void {
  if (other === peer) throw new NotPossible('a copy of itself')
  peer.kill()
  peer.host.become(other.host, { isCopied })
  scene.forks.cloned(peer, other, scene.peers, scene.time.nowMs)
  forgive(scene)
}

/** What was only on the disk that is gone is nobody's fault. */
function forgive({ peers, values }: Scene): void {
  const kept = peers.map(({ name, hands }) => ({ name, contents: new Set(contentsOn(hands)) }))
  values.forgive((content, { doubtfulOn }) =>
    kept.some(({ name, contents }) => contents.has(content) && !doubtfulOn.has(name)),
  )
}
