import { syncModes, type SyncMode } from '../../src/core/protocol.ts'

export const topologies = ['mesh', 'chain', 'star', 'ring'] as const
export type Topology = (typeof topologies)[number]

/** One thing that happens on (or to) one peer, as data: it can be left out, printed and read again. */
export interface Step {
  readonly peer: number
  /** A key of `deeds`. */
  readonly deed: string
  readonly args: readonly string[]
  /** Virtual time that passes afterwards. */
  readonly thenMs: number
}

/** All that there is to know of one run: what happens, and the seed of what is left to chance (delays, ids, what a power loss spares). */
export interface History {
  readonly seed: number
  readonly peers: number
  readonly topology: Topology
  readonly durability: 'full' | 'none'
  /** Whether the delete brake is on. */
  readonly hasBrake: boolean
  /** Every peer has the same key, as a fleet has from one Secret. */
  readonly isFleet: boolean
  /** Where the index is: in the volume, or on another disk. */
  readonly isStateInside: boolean
  /** By peer; where nothing is said all send and receive. */
  readonly modes?: readonly SyncMode[]
  readonly steps: readonly Step[]
}

/** A script to read, and to give to `parseHistory`. */
export function printHistory(history: History): string {
  const { seed, peers, topology, durability, hasBrake, isFleet, isStateInside, steps } = history
  const head = [`seed ${seed}`, `${peers} peers`, topology, `durability ${durability}`]
  if (hasBrake) head.push('brake')
  if (isFleet) head.push('fleet')
  if (isStateInside) head.push('state inside')
  if (history.modes !== undefined) head.push(`modes ${history.modes.join(' ')}`)
  return [head.join(', '), ...steps.map(printStep)].join('\n')
}

export function printStep({ peer, deed, args, thenMs }: Step): string {
  const words = [`p${peer}`, deed, ...args]
  return (thenMs === 0 ? words : [...words, `+${thenMs}`]).join(' ')
}

/** Inverse of `printHistory`; blank lines and what follows `//` do not count. */
export function parseHistory(text: string): History {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/\/\/.*/, '').trim())
    .filter((line) => line !== '')
  const [head = '', ...rest] = lines
  const words = head.split(', ')
  const numberIn = (pattern: RegExp): number => {
    const found = words.map((word) => pattern.exec(word)?.[1]).find((one) => one !== undefined)
    if (found === undefined) throw new Error(`no ${pattern.source} in "${head}"`)
    return Number(found)
  }
  const topology = topologies.find((one) => words.includes(one))
  if (topology === undefined) throw new Error(`no topology in "${head}"`)
  const modes = words
    .find((word) => word.startsWith('modes '))
    ?.split(' ')
    .slice(1)
  return {
    ...(modes === undefined ? {} : { modes: modes.map(parseMode) }),
    seed: numberIn(/^seed (\d+)$/),
    peers: numberIn(/^(\d+) peers$/),
    topology,
    durability: words.includes('durability none') ? 'none' : 'full',
    hasBrake: words.includes('brake'),
    isFleet: words.includes('fleet'),
    isStateInside: words.includes('state inside'),
    steps: rest.map(parseStep),
  }
}

function parseMode(text: string): SyncMode {
  const mode = syncModes.find((one) => one === text)
  if (mode === undefined) throw new Error(`no mode "${text}"`)
  return mode
}

export function parseStep(line: string): Step {
  const words = line.split(' ')
  const last = /^\+(\d+)$/.exec(words.at(-1) ?? '')?.[1]
  const [peer = '', deed = '', ...args] = last === undefined ? words : words.slice(0, -1)
  const number = /^p(\d)$/.exec(peer)?.[1]
  if (number === undefined || deed === '') throw new Error(`no step: "${line}"`)
  return { peer: Number(number), deed, args, thenMs: Number(last ?? 0) }
}
