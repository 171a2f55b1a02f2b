import { Random } from '../support/random.ts'
import { perform, placeOf, places, type Edit, type Tree } from './tree.ts'

/** One tree, perturbed twice. Everything that chance decides later (batches, their order) follows from the seed too. */
export interface Schedule {
  readonly seed: number
  /** 3: one more, between the two or beside them, that changed nothing. */
  readonly peers: 2 | 3
  /** With three: the two do not see each other, all goes through the third. */
  readonly isChain: boolean
  /** What a peer was told it does not tell back (rule 16). */
  readonly isSparing: boolean
  /** Whether each of the two announces its edits one by one, or all in one round. */
  readonly isOneByOne: readonly [boolean, boolean]
  readonly clockSkewMs: readonly number[]
  readonly base: readonly Edit[]
  readonly edits: readonly [readonly Edit[], readonly Edit[]]
}

/** The schedule of a seed, always the same. */
export function scheduleOf(seed: number): Schedule {
  const chance = new Random(seed)
  const peers = chance.isLikely(0.3) ? 3 : 2
  // Each content is written once, but for a few that both come upon.
  let written = 0
  const content = (): number => (chance.isLikely(0.1) ? 900 + chance.below(3) : ++written)
  const edits = (most: number): Edit[] =>
    Array.from({ length: chance.below(most + 1) }, () => editOf(chance, content()))
  return {
    seed,
    peers,
    isChain: peers === 3 && chance.isLikely(0.5),
    isSparing: chance.isLikely(0.7),
    isOneByOne: [chance.isLikely(0.3), chance.isLikely(0.3)],
    clockSkewMs: Array.from({ length: 3 }, () => chance.pick([0, 0, 1, 700, -700])),
    base: Array.from({ length: chance.below(9) }, () => makingOf(chance, content())),
    edits: [edits(5), edits(5)],
  }
}

function editOf(chance: Random, content: number): Edit {
  const at = chance.below(places.length)
  const roll = chance.below(100)
  if (roll < 40) return makingOf(chance, content)
  if (roll < 60) return { do: 'remove', at }
  if (roll < 80) return { do: 'rename', at, to: chance.below(places.length) }
  if (roll < 85) return { do: 'exchange', at, to: chance.below(places.length) }
  if (roll < 94) return { do: 'chmod', at, mode: anyMode(chance) }
  return { do: 'touch', at, mtimeUs: anyTime(chance) }
}

function makingOf(chance: Random, content: number): Edit {
  const at = chance.below(places.length)
  const shared = { at, mode: anyMode(chance), mtimeUs: anyTime(chance) }
  const roll = chance.below(10)
  if (roll < 7) return { do: 'write', content, ...shared }
  return roll < 9 ? { do: 'mkdir', ...shared } : { do: 'link', content, ...shared }
}

function anyMode(chance: Random): number {
  return chance.pick([0o644, 0o644, 0o755, 0o700])
}

/** Few, so that the winner is often decided by the digest. */
function anyTime(chance: Random): number {
  return 1_000_000 * (1 + chance.below(4))
}

/** What the peers had together, before the two went their ways. */
export function treeOf(edits: readonly Edit[]): Tree {
  const tree: Tree = new Map()
  for (const edit of edits) perform(tree, edit)
  return tree
}

/** A shorter schedule that still fails, by leaving out one edit after the other. */
export async function shrink(
  schedule: Schedule,
  fails: (schedule: Schedule) => Promise<boolean>,
): Promise<Schedule> {
  for (const shorter of shorterOnes(schedule))
    if (await fails(shorter)) return shrink(shorter, fails)
  return schedule
}

function* shorterOnes(schedule: Schedule): Generator<Schedule> {
  const { base, edits } = schedule
  const [first, second] = edits
  if (schedule.peers === 3) yield { ...schedule, peers: 2, isChain: false }
  for (let i = 0; i < base.length; i++) yield { ...schedule, base: base.toSpliced(i, 1) }
  for (let i = 0; i < first.length; i++)
    yield { ...schedule, edits: [first.toSpliced(i, 1), second] }
  for (let i = 0; i < second.length; i++)
    yield { ...schedule, edits: [first, second.toSpliced(i, 1)] }
}

/** A schedule to read aloud. */
export function script(schedule: Schedule): string {
  const { seed, peers, isChain, isSparing, isOneByOne, clockSkewMs, base, edits } = schedule
  return [
    `seed ${seed}: ${peers} peers${isChain ? ' in a chain a-c-b' : ''}${isSparing ? ', sparing' : ''}, clocks ${clockSkewMs.join(' ')} ms off`,
    ...base.map((edit) => `  before  ${line(edit)}`),
    ...edits.flatMap((own, i) =>
      own.map(
        (edit) =>
          `  ${'ab'.charAt(i)}       ${line(edit)}${isOneByOne[i] === true ? ', announced alone' : ''}`,
      ),
    ),
  ].join('\n')
}

function line(edit: Edit): string {
  const { do: verb, at, ...rest } = edit
  const target = 'to' in edit ? ` to ${placeOf(edit.to)}` : ''
  const values = Object.entries(rest)
    .filter(([name]) => name !== 'to')
    .map(([name, value]) => ` ${name} ${name === 'mode' ? value.toString(8) : value}`)
  return `${verb} ${placeOf(at)}${target}${values.join('')}`
}
