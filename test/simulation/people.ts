import type { Hands } from '../support/hands.ts'
import type { Random } from '../support/random.ts'
import type { Values } from './values.ts'

const directories = ['', 'a', 'b', 'a/c']
const names = ['f', 'g', 'h', 'a', 'b', 'c']

/** One random thing that somebody does on one host; returns it in words. What is not possible there is left out. */
export function doSomething(hands: Hands, random: Random, values: Values): string {
  const path = randomPath(random)
  const what = random.pick(actions)
  try {
    return what({ hands, random, values, path })
  } catch (error) {
    return `${path}: not possible (${error instanceof Error ? error.message : String(error)})`
  }
}

interface Doing {
  readonly hands: Hands
  readonly random: Random
  readonly values: Values
  readonly path: string
}

const write = ({ hands, values, path }: Doing): string => {
  demandDirectoryAbove(hands, path)
  if (kindOf(hands, path) === 'd') return `leave directory ${path}`
  if (kindOf(hands, path) === 'l') hands.remove(path)
  values.supersede(hands, path)
  const value = values.fresh(path)
  hands.write(path, value)
  return `write ${path} ${value}`
}

const replace = ({ hands, values, path }: Doing): string => {
  demandDirectoryAbove(hands, path)
  if (kindOf(hands, path) === 'd') return `leave directory ${path}`
  values.supersede(hands, path)
  const value = values.fresh(path)
  hands.replace(path, value)
  return `replace ${path} ${value}`
}

const mkdir = ({ hands, path }: Doing): string => {
  demandDirectoryAbove(hands, path)
  hands.mkdir(path)
  return `mkdir ${path}`
}

const remove = ({ hands, values, path }: Doing): string => {
  values.supersede(hands, path)
  hands.remove(path)
  return `remove ${path}`
}

const rename = ({ hands, random, values, path }: Doing): string => {
  const to = randomPath(random)
  if (to === path || to.startsWith(`${path}/`) || path.startsWith(`${to}/`)) return 'rename nothing'
  if (kindOf(hands, path) === null) return `no ${path} to rename`
  demandDirectoryAbove(hands, to)
  if (kindOf(hands, to) === 'd') return `leave directory ${to}`
  if (kindOf(hands, path) === 'd' && kindOf(hands, to) !== null) return `leave ${to}`
  values.supersede(hands, to)
  hands.rename(path, to)
  return `rename ${path} ${to}`
}

const swap = ({ hands, values, path }: Doing): string => {
  const kind = kindOf(hands, path)
  if (kind === null) return `no ${path} to swap`
  values.supersede(hands, path)
  hands.remove(path)
  if (kind === 'd') hands.write(path, values.fresh(path))
  else hands.mkdir(path)
  return `swap ${path}`
}

const link = ({ hands, values, random, path }: Doing): string => {
  demandDirectoryAbove(hands, path)
  if (kindOf(hands, path) === 'd') return `leave directory ${path}`
  values.supersede(hands, path)
  hands.remove(path)
  hands.symlink(`target-${random.below(3)}`, path)
  return `symlink ${path}`
}

const chmod = ({ hands, random, path }: Doing): string => {
  const kind = kindOf(hands, path)
  if (kind === null || kind === 'l') return `no ${path} to chmod`
  const mode = kind === 'd' ? random.pick([0o755, 0o700]) : random.pick([0o644, 0o600, 0o755])
  hands.chmod(path, mode)
  return `chmod ${path} ${mode.toString(8)}`
}

const touch = ({ hands, random, path }: Doing): string => {
  if (kindOf(hands, path) !== 'f') return `no ${path} to touch`
  hands.setMtime(path, 1_600_000_000_000_000 + random.below(1_000_000) * 1_000_000)
  return `touch ${path}`
}

const actions = [
  write,
  write,
  write,
  replace,
  replace,
  mkdir,
  mkdir,
  remove,
  rename,
  rename,
  swap,
  link,
  chmod,
  touch,
]

function randomPath(random: Random): string {
  const directory = random.pick(directories)
  const name = random.pick(names)
  return directory === '' ? name : `${directory}/${name}`
}

function kindOf(hands: Hands, path: string): string | null {
  return hands.tree().get(path)?.[0] ?? null
}

function demandDirectoryAbove(hands: Hands, path: string): void {
  const slash = path.lastIndexOf('/')
  if (slash > 0 && kindOf(hands, path.slice(0, slash)) !== 'd')
    throw new Error('no directory above')
}
