import { filesBelow } from './contents.ts'
import { kindOf } from './deed-paths.ts'
import { NotPossible, numberIn, type Deed, type Scene } from './deed.ts'
import type { SimPeer } from './sim-peer.ts'
import { supersede } from './supersede.ts'

/** Where `fill` puts what it makes. */
const crowd = 'm'

/** Enough for a brake; what more there is to be are directories, which cost nothing. */
const filesAtMost = 15

/** What a delete brake is for (rule 19), and what people decide. */
export const brakeDeeds = {
  /** Many things come: more files than a volume may lose unasked, or more entries than may go without an event. */
  fill: {
    draw: (random) => [`${random.pick([11, 12, 15, 15, 120])}`],
    act: ({ values }, peer, args) => {
      const { hands } = peer
      if (kindOf(hands, crowd) === null) hands.mkdir(crowd)
      if (kindOf(hands, crowd) !== 'd') throw new NotPossible('no directory')
      const names = Array.from({ length: numberIn(args, 0) }, (_, number) => `${crowd}/${number}`)
      for (const [index, path] of names.entries()) {
        if (kindOf(hands, path) !== null) continue
        supersede(values, peer, path)
        if (index < filesAtMost) hands.write(path, values.fresh(peer.name, path))
        else hands.mkdir(path)
      }
    },
  },

  /** Everything goes at once, or all that `fill` made. Nobody meant it: what others have of it must not be lost. */
  vanish: {
    draw: (random) => random.pick([[], [], [crowd]]),
    act: (scene, peer, [below = '']) => {
      const { hands } = peer
      const paths = [...hands.tree().keys()].filter((path) => isIn(path, below))
      if (paths.length === 0) throw new NotPossible('nothing is there')
      const contents = filesBelow(hands, below).map(([, content]) => content)
      peer.brake?.vanish(paths, contents, !peer.isUp)
      for (const path of paths.toReversed()) hands.remove(path)
      const kept = contentsKept(scene)
      scene.values.supersede(contents.filter((content) => !kept.has(content)))
    },
  },

  approve: {
    draw: () => [],
    act: (_, peer) => decide(peer, 'approve'),
  },

  reject: {
    draw: () => [],
    act: (_, peer) => decide(peer, 'reject'),
  },
} satisfies Record<string, Deed>

/** What a person says to held deletes, by way of what `synd approve` and `synd reject` call. */
export async function decide(peer: SimPeer, verdict: 'approve' | 'reject'): Promise<void> {
  const { engine, brake } = peer
  if (engine === null) throw new NotPossible('is not up')
  const approve = (): Promise<number> => engine.approveDeletes()
  const count =
    verdict === 'approve'
      ? await (brake === null ? approve() : brake.approve(approve))
      : await engine.rejectDeletes()
  if (count === 0) throw new NotPossible('nothing is held back')
}

/** What is in files that nobody has moved away meanwhile: those who have them keep them. */
function contentsKept({ peers, values }: Scene): ReadonlySet<string> {
  const files = peers.flatMap(({ hands }) => filesBelow(hands, ''))
  return new Set(
    files.filter(([path, content]) => values.isLiveAt(content, path)).map(([, content]) => content),
  )
}

function isIn(path: string, below: string): boolean {
  return below === '' || path === below || path.startsWith(`${below}/`)
}
