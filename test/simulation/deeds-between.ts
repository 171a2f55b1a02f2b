import { numberIn, type Deed } from './deed.ts'
import { fileDeeds } from './deeds-files.ts'

/** The first two are done most. */
const meddlings = [
  'write',
  'write',
  'replace',
  'remove',
  'rename',
  'mkdir',
  'swap',
  'touch',
] as const

/** What `Scene.done` has of these when each was done. */
export const meddlingsDone: readonly string[] = [...new Set(meddlings)].map(
  (what) => `between ${what}`,
)

/** Somebody does something with a file between two calls that the process makes on the disk. */
export const between: Deed = {
  draw: (random, peers) => {
    const what = random.pick(meddlings)
    return [`${1 + random.below(80)}`, what, ...fileDeeds[what].draw(random, peers)]
  },
  act: (scene, peer, args) => {
    const [, what = '', ...rest] = args
    const deed: Deed | undefined = Object.entries(fileDeeds).find(([name]) => name === what)?.[1]
    if (deed === undefined) throw new Error(`no meddling ${what}`)
    peer.faults.meddleAfter(numberIn(args, 0), () => {
      try {
        void deed.act(scene, peer, rest)
        scene.done.add(`between ${what}`)
      } catch {
        // Not possible there and then.
      }
    })
  },
}
