import { Random } from '../support/random.ts'
import type { Deed } from './deed.ts'
import { deeds, type DeedName } from './deeds.ts'
import { topologies, type History, type Step } from './history.ts'

/** What a history is about: how often each deed is drawn, besides what people do with files. */
interface Flavour {
  readonly weights: Partial<Record<DeedName, number>>
  readonly durability?: 'none'
  readonly hasBrake?: boolean
}

const files = {
  write: 14,
  replace: 10,
  enlarge: 0.5,
  mkdir: 9,
  remove: 6,
  rename: 9,
  swap: 4,
  symlink: 3,
  chmod: 4,
  chown: 1,
  touch: 4,
  sync: 2,
  append: 1,
} satisfies Partial<Record<DeedName, number>>

const links = { cut: 6, join: 7, break: 4, slow: 1, dns: 0.3 } satisfies Flavour['weights']

const comings = {
  start: 3,
  'start-until': 6,
  doom: 2,
  'doom-at': 4,
  kill: 4,
  stop: 3,
  clock: 0.7,
  deaf: 1,
} satisfies Flavour['weights']

/** Flavours by name, with how often each is drawn. */
const flavours: Readonly<Record<string, Flavour & { readonly share: number }>> = {
  work: { share: 5, weights: { ...links, ...comings } },
  meddling: { share: 3, weights: { ...links, ...comings, between: 30 } },
  faults: { share: 3, weights: { ...links, ...comings, refuse: 8, 'fill-store': 2, between: 5 } },
  power: { share: 3, weights: { ...links, ...comings, sync: 15, power: 6 } },
  ignoring: { share: 3, weights: { ...links, ...comings, ignore: 8, unignore: 5 } },
  'power at none': {
    share: 2,
    durability: 'none',
    weights: { ...links, ...comings, sync: 8, power: 6 },
  },
  disasters: {
    share: 4,
    weights: {
      ...links,
      ...comings,
      backup: 6,
      restore: 4,
      'restore-disk': 4,
      'lose-index': 4,
      clone: 3,
      rsync: 2,
    },
  },
  everything: {
    share: 3,
    weights: {
      ...links,
      ...comings,
      between: 5,
      refuse: 3,
      'fill-store': 1,
      power: 3,
      backup: 3,
      restore: 2,
      'restore-disk': 2,
      'lose-index': 2,
      clone: 2,
      rsync: 1,
      ignore: 1,
      unignore: 1,
    },
  },
  brake: {
    share: 1,
    hasBrake: true,
    weights: { ...links, ...comings, fill: 10, vanish: 9, approve: 6, reject: 6, between: 3 },
  },
}

/** Histories of these are drawn by name only, so that what other seeds stand for stays the same. */
const byName: readonly string[] = ['brake']

/** The history that a seed stands for; `among` leaves out other flavours. */
export function drawHistory(
  seed: number,
  steps: { atLeast: number; atMost: number },
  among: readonly string[] = Object.keys(flavours).filter((name) => !byName.includes(name)),
): History {
  const random = new Random(seed ^ 0x5eed)
  const chosen = Object.fromEntries(
    Object.entries(flavours).filter(([name]) => among.includes(name)),
  )
  const flavour = pickWeighted(random, chosen, ({ share }) => share)
  const { weights, durability = 'full', hasBrake = false } = flavours[flavour] ?? { weights: {} }
  const peers = random.pick([2, 2, 2, 3, 3, 3, 4, 5])
  const all: Partial<Record<DeedName, number>> = { ...files, ...weights }
  const count = steps.atLeast + random.below(steps.atMost - steps.atLeast + 1)
  return {
    seed,
    peers,
    topology: random.pick(topologies),
    durability,
    hasBrake,
    isFleet: random.isLikely(0.3),
    isStateInside: random.isLikely(0.3),
    steps: [
      ...Array.from({ length: peers }, (_, peer) => beginnings(random, peers, peer)).flat(),
      ...Array.from({ length: count }, () => drawStep(random, { peers, weights: all })),
    ],
  }
}

/** What is there before the process starts for the first time: a joining peer's own files. */
function beginnings(random: Random, peers: number, peer: number): Step[] {
  const before = Array.from({ length: random.below(4) }, () => ({
    ...drawStep(random, { peers, weights: files }),
    peer,
    thenMs: 0,
  }))
  if (random.isLikely(0.3)) before.push(stepOf('clock', { random, peers, peer }))
  return [...before, stepOf('start', { random, peers, peer })]
}

function drawStep(
  random: Random,
  { peers, weights }: { peers: number; weights: Flavour['weights'] },
): Step {
  const deed = pickWeighted(random, weights, (weight) => weight ?? 0)
  const step = stepOf(deed, { random, peers, peer: random.below(peers) })
  return { ...step, thenMs: random.pick([0, 1, 5, 20, 20, 200, 200, 2_000, 10_000]) }
}

function stepOf(
  name: string,
  { random, peers, peer }: { random: Random; peers: number; peer: number },
): Step {
  const deed: Deed | undefined = deeds.get(name)
  if (deed === undefined) throw new Error(`no deed ${name}`)
  return { peer, deed: name, args: deed.draw(random, peers), thenMs: 0 }
}

function pickWeighted<Value>(
  random: Random,
  values: Readonly<Record<string, Value>>,
  weightOf: (value: Value) => number,
): string {
  const entries = Object.entries(values)
  let left = random.fraction() * entries.reduce((sum, [, value]) => sum + weightOf(value), 0)
  for (const [name, value] of entries) {
    left -= weightOf(value)
    if (left < 0) return name
  }
  throw new Error('nothing to draw from')
}
