import { isConflictCopy } from '../../src/core/conflict.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import type { Hands } from '../support/hands.ts'
import type { Random } from '../support/random.ts'
import { NotPossible } from './deed.ts'

const directories = ['', 'a', 'b', 'a/c']
const names = ['f', 'g', 'h', 'a', 'b', 'c']

/** Where `Hands.replace` writes first. */
export const draftPath = '~hands'

/** A path as a step names it: in words, `#3` for the third of what is there by then, `?1` for one of the conflict copies there. */
export function drawPath(random: Random): string {
  const chance = random.fraction()
  if (chance < 0.12) return `#${random.below(20)}`
  if (chance < 0.18) return `?${random.below(5)}`
  const directory = random.pick(directories)
  const name = random.pick(names)
  return directory === '' ? name : `${directory}/${name}`
}

/** The path that is meant on this disk, now. */
export function pathIn(hands: Hands, args: readonly string[], index: number): string {
  const word = args[index] ?? ''
  const number = Number(word.slice(1))
  if (word.startsWith('#')) return pickFrom([...hands.tree().keys()], number)
  if (word.startsWith('?')) return pickFrom([...hands.tree().keys()].filter(isCopy), number)
  return word
}

/** `f`, `d`, `l`, or null for nothing. */
export function kindOf(hands: Hands, path: string): string | null {
  return hands.tree().get(path)?.[0] ?? null
}

export function demandDirectoryAbove(hands: Hands, path: string): void {
  const slash = path.lastIndexOf('/')
  if (slash > 0 && kindOf(hands, path.slice(0, slash)) !== 'd')
    throw new NotPossible('no directory above')
}

function isCopy(path: string): boolean {
  return isConflictCopy(parseRelativePath(path))
}

function pickFrom(paths: readonly string[], number: number): string {
  const path = paths[number % Math.max(1, paths.length)]
  if (path === undefined) throw new NotPossible('no such path')
  return path
}
