import { numberIn, type Deed } from './deed.ts'
import { fileDeeds } from './deeds-files.ts'

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
      } catch {
        // Not possible there and then.
      }
    })
  },
}
