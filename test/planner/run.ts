import { sameEntry } from '../../src/core/entry.ts'
import type { RelativePath } from '../../src/core/relative-path.ts'
import type { Ready } from '../../src/engine/pull/applier.ts'
import { Random } from '../support/random.ts'
import { Failure } from './failure.ts'
import { checkEnd, wantedOf, type Doing, type Truth } from './oracle.ts'
import { PlanningPeer } from './planning-peer.ts'
import { treeOf, type Schedule } from './schedule.ts'
import { contentOf, isSame, perform, show } from './tree.ts'

/** So many rounds of everybody hearing and applying are never needed. */
const mostRounds = 200

/** What a schedule did, for who counts. */
export interface Report {
  readonly rounds: number
  readonly conflicts: number
  readonly applied: number
}

/** Runs a schedule to its end; throws the `Failure` if there is one. */
export async function runSchedule(schedule: Schedule): Promise<Report> {
  const chance = new Random(schedule.seed ^ 0x91a7)
  const peers = peersOf(schedule)
  const truth = perturb(schedule, peers)
  const wanted = wantedOf(truth)
  const late = new Map(peers.map((peer): [PlanningPeer, Ready[]] => [peer, []]))
  /** For whom nothing changed since there was nothing to do. */
  const idle = new Set<PlanningPeer>()
  let applied = 0
  for (let rounds = 1; rounds <= mostRounds; rounds++) {
    let isMoving = false
    for (const peer of shuffled(peers, chance)) {
      for (const other of shuffled(peer.neighbours, chance)) {
        const limit = chance.pick([1, 2, 4, 100])
        if (peer.hear(other, { limit, isSparing: schedule.isSparing })) {
          isMoving = true
          idle.delete(peer)
        }
      }
      if (idle.has(peer)) continue
      const waiting = late.get(peer) ?? []
      const { intents, ready } = peer.decide((path) =>
        waiting.some(({ intent }) => intent.path === path),
      )
      if (intents.length > 0 || waiting.length > 0) isMoving = true
      else idle.add(peer)
      const { now, later } = batchOf([...waiting, ...ready], chance)
      late.set(peer, later)
      if (now.length === 0) continue
      applied += now.length
      await peer.apply(now, { isFresh: !now.some((one) => waiting.includes(one)) })
      checkMoment(peers, wanted)
    }
    if (isMoving) continue
    checkEqual(peers)
    checkEnd(truth, peers[0].disk.tree)
    const conflicts = peers.reduce((sum, peer) => sum + peer.conflicts, 0)
    return { rounds, conflicts, applied }
  }
  throw new Failure('diverged', `no rest after ${mostRounds} rounds`)
}

/** As they are when all had the same. */
function peersOf({
  peers: count,
  isChain,
  clockSkewMs,
  base,
}: Schedule): [PlanningPeer, PlanningPeer, ...PlanningPeer[]] {
  const make = (index: number): PlanningPeer =>
    new PlanningPeer('abc'.charAt(index), clockSkewMs[index] ?? 0)
  const [a, b] = [make(0), make(1)]
  const others = count === 3 ? [make(2)] : []
  a.publish(treeOf(base))
  for (const other of [b, ...others]) other.adopt(a)
  const all = [a, b, ...others]
  for (const one of all) {
    for (const other of all) {
      const isApart = isChain && !others.includes(one) && !others.includes(other)
      if (one !== other && !isApart) one.link(other)
    }
  }
  return [a, b, ...others]
}

/** The two go their ways. */
function perturb(
  { base, edits, isOneByOne }: Schedule,
  [a, b]: readonly [PlanningPeer, PlanningPeer, ...PlanningPeer[]],
): Truth {
  const goes = (peer: PlanningPeer, index: 0 | 1): Doing => {
    const end = peer.disk.tree
    const touched = new Map<RelativePath, number>()
    const publish = () => {
      for (const path of peer.publish(end)) touched.set(path, (touched.get(path) ?? 0) + 1)
    }
    for (const edit of edits[index]) {
      perform(end, edit)
      if (isOneByOne[index]) publish()
    }
    publish()
    return { end, touched }
  }
  return { base: treeOf(base), doings: [goes(a, 0), goes(b, 1)] }
}

/** Some of it, in any order; of the rest some comes later as it was decided now, and some is decided anew. */
function batchOf(ready: readonly Ready[], chance: Random): { now: Ready[]; later: Ready[] } {
  const now: Ready[] = []
  const later: Ready[] = []
  for (const one of shuffled(ready, chance)) {
    const roll = chance.below(10)
    if (roll < 7) now.push(one)
    else if (roll < 9) later.push(one)
  }
  return { now, later }
}

function shuffled<Item>(items: readonly Item[], chance: Random): Item[] {
  const shuffled = [...items]
  for (let i = shuffled.length - 1; i > 0; i--) {
    const other = chance.below(i + 1)
    const [a, b] = [shuffled[i], shuffled[other]]
    if (a !== undefined && b !== undefined) [shuffled[i], shuffled[other]] = [b, a]
  }
  return shuffled
}

/** At every moment what nobody gave up is somewhere. */
function checkMoment(peers: readonly PlanningPeer[], wanted: ReadonlySet<string>): void {
  const held = new Set(peers.flatMap(({ disk }) => [...disk.tree.values()].map(contentOf)))
  for (const content of wanted) {
    if (!held.has(content)) throw new Failure('lost', `${content} is nowhere`)
  }
}

function checkEqual([first, ...others]: readonly [PlanningPeer, ...PlanningPeer[]]): void {
  const mine = [...first.store.all()]
  const { tree } = first.disk
  for (const other of others) {
    for (const { entry } of mine) {
      const theirs = other.store.get(entry.path)?.entry
      if (theirs === undefined || !sameEntry(entry, theirs))
        throw new Failure('diverged', `${entry.path}: ${entry.kind} and ${theirs?.kind}`)
    }
    if ([...other.store.all()].length !== mine.length)
      throw new Failure('diverged', `${mine.length} entries and more`)
    for (const [path, node] of other.disk.tree) {
      if (!isSame(node, tree.get(path)))
        throw new Failure('diverged', `${path}: ${show(tree.get(path))} and ${show(node)}`)
    }
  }
}
