import { isConflictCopy } from '../../src/core/conflict.ts'
import { sameContent, sameEntry, sameMetadata, type Entry } from '../../src/core/entry.ts'
import { reconcile } from '../../src/core/reconcile.ts'
import { coversDot } from '../../src/core/version-vector.ts'
import { chanceFrom } from './one-path-chance.ts'
import type { History } from './one-path-history.ts'
import { announce, applyRow, at, modelOf, receive, take, type Model } from './one-path-model.ts'
import { lastModes, lastWords, stillWanted, type Content } from './one-path-oracle.ts'
import type { Peer, Rules } from './one-path-peer.ts'

/** As the product has them. */
export const shippedRules: Rules = { reconcile, isKnown: sameEntry }

/**
 * - lost: what a user wrote and no user gave up is nowhere at some moment, or not everywhere at the end.
 * - diverged: two peers differ at the end, or there is no end.
 * - invariant: another of those below.
 */
export interface Failure {
  readonly kind: 'lost' | 'diverged' | 'invariant'
  readonly what: string
}

/** Runs a history to its end, then delivers everything; null: nothing went wrong. */
export function runHistory(history: History, rules: Rules = shippedRules): Failure | null {
  const model = modelOf(history, rules)
  for (const step of history.steps) {
    take(model, step)
    const failure = checkMoment(model)
    if (failure !== null) return failure
  }
  return settle(model) ?? checkEnd(model)
}

/** So many rounds of everybody telling everybody are never needed. */
const mostRounds = 200

/** Everything is told and applied, in the order that chance gives, until nothing changes any more. */
function settle(model: Model): Failure | null {
  const chance = chanceFrom(model.history.seed ^ 0x5e771e)
  for (let round = 0; round < mostRounds; round++) {
    let isMoving = false
    for (const link of model.links.toSorted(() => chance.whole(3) - 1)) {
      announce(model, link, 1 + chance.whole(8))
      isMoving ||= link.messages.length > 0
      for (const message of link.messages.splice(0)) {
        const isApplied = model.history.order !== 'reordered' || chance.percent(50)
        receive(model, link, { message, isApplied })
      }
      const rows = [...(at(model.peers, link.to).remote.get(link.from)?.values() ?? [])]
      if (model.history.order !== 'reordered') rows.sort((a, b) => a.sequence - b.sequence)
      for (const row of rows) {
        if (applyRow(model, { peer: link.to, from: link.from, row, dies: false })) isMoving = true
      }
      const failure = checkMoment(model)
      if (failure !== null) return failure
    }
    if (!isMoving) return null
  }
  return { kind: 'diverged', what: `no rest after ${mostRounds} rounds` }
}

/** What holds at every moment. */
function checkMoment(model: Model): Failure | null {
  const { peers, world, history } = model
  for (const write of stillWanted(world.truth)) {
    if (!peers.some((peer) => holds(peer, write)))
      return { kind: 'lost', what: `${nameOf(write)} is nowhere` }
    if (history.order !== 'orderly') continue
    for (const [i, peer] of peers.entries()) {
      const entry = peer.index.get(write.path)?.entry
      if (entry !== undefined && coversDot(entry.version, write.contentDot) && !holds(peer, write))
        return { kind: 'invariant', what: `${i} covers ${nameOf(write)} without a copy (rule 4)` }
    }
  }
  return null
}

/** What holds once everything was delivered. */
function checkEnd({ peers, world }: Model): Failure | null {
  const [first, ...others] = peers
  if (first === undefined) return null
  for (const write of stillWanted(world.truth)) {
    if (!peers.every((peer) => holds(peer, write)))
      return { kind: 'lost', what: `${nameOf(write)} is not everywhere` }
  }
  for (const other of others) {
    const difference = differenceOf(first, other)
    if (difference !== null) return { kind: 'diverged', what: difference }
  }
  const copies = [...first.index.keys()].filter((path) => isConflictCopy(path)).length
  if (copies > world.conflicts)
    return { kind: 'invariant', what: `${copies} copies of ${world.conflicts} conflicts` }
  return checkLastWords(first, world.truth)
}

function checkLastWords({ index }: Peer, truth: Model['world']['truth']): Failure | null {
  for (const last of lastWords(truth)) {
    const entry = index.get(last.path)?.entry
    if (entry === undefined || !sameContent(entry, last) || !sameMetadata(entry, last))
      return { kind: 'invariant', what: `${show(last)} was the last word, not ${show(entry)}` }
  }
  for (const last of lastModes(truth)) {
    const entry = index.get(last.path)?.entry
    if (entry?.kind === last.kind && entry.mode !== last.mode)
      return { kind: 'invariant', what: `${show(last)} set the last mode, not ${show(entry)}` }
  }
  return null
}

function holds(peer: Peer, write: Content): boolean {
  for (const { entry } of peer.index.values()) if (sameContent(entry, write)) return true
  return false
}

function differenceOf(a: Peer, b: Peer): string | null {
  if (a.index.size !== b.index.size) return `${a.index.size} paths and ${b.index.size}`
  for (const { entry } of a.index.values()) {
    const theirs = b.index.get(entry.path)?.entry
    if (theirs === undefined || !sameEntry(entry, theirs))
      return `${show(entry)} and ${show(theirs)}`
  }
  return null
}

function nameOf({ digest }: Content): string {
  return `content ${Number.parseInt(digest.slice(-8), 16)}`
}

function show(entry: Entry | undefined): string {
  const shorter = (_: string, value: unknown) =>
    value instanceof Map ? Object.fromEntries(value) : value
  return JSON.stringify(entry, shorter)?.replaceAll(/([0-9a-f])\1{15,62}/g, '$1…') ?? 'nothing'
}
