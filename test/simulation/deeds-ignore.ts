import { draftPath, kindOf } from './deed-paths.ts'
import { NotPossible, type Deed } from './deed.ts'
import { supersede } from './supersede.ts'

/** What people leave out: names and directories of the simulation, wherever they are or in one place, and exceptions to it. */
const patterns = [
  'f',
  'g',
  '/h',
  'a',
  '/a',
  'a/c',
  'b/',
  'c/',
  'a/*',
  '*',
  '*.sync-conflict-*',
  '!f',
  '!g',
  '!a',
]

export const ignoreFile = '.syndignore'

/** What people write into `.syndignore` (rule 14). */
export const ignoreDeeds = {
  ignore: {
    draw: (random) => Array.from({ length: 1 + random.below(3) }, () => random.pick(patterns)),
    act: ({ values }, peer, lines) => {
      const { hands } = peer
      if (kindOf(hands, ignoreFile) === 'd') throw new NotPossible('a directory is there')
      if (!['f', null].includes(kindOf(hands, draftPath))) throw new NotPossible('no draft there')
      supersede(values, peer, draftPath)
      supersede(values, peer, ignoreFile)
      hands.replace(ignoreFile, `${lines.join('\n')}\n`)
    },
  },

  unignore: {
    draw: () => [],
    act: ({ values }, peer) => {
      if (kindOf(peer.hands, ignoreFile) === null) throw new NotPossible('nothing is ignored')
      supersede(values, peer, ignoreFile)
      peer.hands.remove(ignoreFile)
    },
  },
} satisfies Record<string, Deed>
