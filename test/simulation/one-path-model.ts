import { parseDigest } from '../../src/core/digest.ts'
import { isLive, type Entry } from '../../src/core/entry.ts'
import { parsePeerId } from '../../src/core/peer-id.ts'
import { parseRelativePath, type RelativePath } from '../../src/core/relative-path.ts'
import { neighboursOf, type History, type Step } from './one-path-history.ts'
import { emptyTruth } from './one-path-oracle.ts'
import {
  apply,
  findingOf,
  scan,
  type Peer,
  type Row,
  type Rules,
  type World,
} from './one-path-peer.ts'

/** What `from` announces at once: its changes behind `after`, up to `upTo`. */
interface Message {
  readonly rows: readonly Row[]
  readonly after: number
  readonly upTo: number
}

/** One direction of a link. */
export interface Link {
  readonly from: number
  readonly to: number
  /** Everything up to here was told, or is on its way. */
  sent: number
  /** Everything up to here arrived, without a gap. */
  recorded: number
  readonly messages: Message[]
}

export interface Model {
  readonly history: History
  readonly world: World
  readonly peers: readonly Peer[]
  readonly links: readonly Link[]
}

/** The one path; all others are its conflict copies. */
const path = parseRelativePath('f.txt')

export function modelOf(history: History, rules: Rules): Model {
  const peers = Array.from({ length: history.peers }, (_, i): Peer => ({
    id: parsePeerId('abcde'.charAt(i).repeat(16)),
    keepsModes: history.keepsModes[i] ?? true,
    clockSkewMs: history.clockSkewMs[i] ?? 0,
    index: new Map(),
    remote: new Map(neighboursOf(i, history).map((other) => [other, new Map()])),
    staged: new Set(),
    lastSequence: 0,
    lastCounter: 0,
  }))
  const links = peers.flatMap((_, from) =>
    neighboursOf(from, history).map((to): Link => ({
      from,
      to,
      sent: 0,
      recorded: 0,
      messages: [],
    })),
  )
  const world = { rules, truth: emptyTruth(), nowMs: 1000, conflicts: 0 }
  return { history, world, peers, links }
}

export function take(model: Model, step: Step): void {
  model.world.nowMs += 10
  switch (step.do) {
    case 'write':
    case 'delete':
    case 'chmod':
    case 'touch':
      return act(model, step)
    case 'announce':
      return onLink(model, step, (link) => announce(model, link, step.limit))
    case 'deliver':
      return onLink(model, step, (link) => deliver(model, link, step))
    case 'reconnect':
      return onLink(model, step, (link) => {
        link.messages.length = 0
        link.sent = link.recorded
      })
    case 'apply':
      return onRow(model, step, (row) => {
        applyRow(model, { ...step, row })
      })
    case 'fetch':
      return onRow(model, step, (row) => fetch(model, { ...step, row }))
  }
}

function onLink(
  model: Model,
  { from, to }: { from: number; to: number },
  run: (link: Link) => void,
): void {
  const link = model.links.find((other) => other.from === from && other.to === to)
  if (link !== undefined) run(link)
}

/** What is recorded of a neighbour: in order the oldest that has not been looked at comes first by `path` 0. */
function onRow(
  model: Model,
  step: { peer: number; from: number; path: number },
  run: (row: Row) => void,
): void {
  const rows = [...(model.peers[step.peer]?.remote.get(step.from)?.values() ?? [])]
  const row = rows[step.path % Math.max(rows.length, 1)]
  if (row !== undefined) run(row)
}

type UserStep = Extract<Step, { do: 'write' | 'delete' | 'chmod' | 'touch' }>

function act({ peers, world }: Model, step: UserStep): void {
  const peer = at(peers, step.peer)
  const target = pathOf(peer, step.path)
  const known = peer.index.get(target)?.entry
  const entry =
    step.do === 'write' ? writtenBy(step, target) : isLive(known) ? changedBy(step, known) : null
  if (entry === null) return
  scan(peer, world, { path: target, finding: findingOf(entry), isUser: true })
}

/** The path itself for 0, else one of its conflict copies, deleted ones too. */
function pathOf(peer: Peer, pick: number): RelativePath {
  if (pick === 0) return path
  const copies = [...peer.index.keys()].filter((other) => other !== path).toSorted()
  return copies[pick % Math.max(copies.length, 1)] ?? path
}

/** What the disk then shows; version and dots are the scan's. */
function writtenBy(step: Extract<Step, { do: 'write' }>, target: RelativePath): Entry {
  const dot = { peer: parsePeerId('0'.repeat(16)), counter: 1 }
  const name = step.content.toString(16)
  const shared = {
    path: target,
    version: new Map(),
    contentDot: dot,
    metadataDot: dot,
    mode: step.mode,
    mtimeUs: step.mtime * 1_000_000,
  }
  const digest = parseDigest(name.padStart(64, '0'))
  switch (step.kind) {
    case 'file':
      return { ...shared, kind: 'file', digest, sizeBytes: 1 }
    case 'symlink':
      return { ...shared, kind: 'symlink', digest, target: name }
    case 'directory':
      return { ...shared, kind: 'directory' }
  }
}

function changedBy(step: Exclude<UserStep, { do: 'write' }>, known: Entry): Entry {
  switch (step.do) {
    case 'chmod':
      return { ...known, mode: step.mode }
    case 'touch':
      return { ...known, mtimeUs: step.mtime * 1_000_000 }
    case 'delete':
      return { ...known, kind: 'tombstone', removedKind: 'file', removedDigest: null }
  }
}

/** Coalesced: of each path only what it is now. */
export function announce({ peers, world }: Model, link: Link, limit: number): void {
  const from = at(peers, link.from)
  const theirs = from.remote.get(link.to)
  const rows: Row[] = []
  let upTo = link.sent
  for (const row of from.index.values()) {
    if (row.sequence <= link.sent) continue
    const known = theirs?.get(row.entry.path)?.entry
    if (known === undefined || !world.rules.isKnown(row.entry, known)) rows.push(row)
    upTo = row.sequence
    if (rows.length >= limit) break
  }
  if (upTo === link.sent) return
  link.messages.push({ rows, after: link.sent, upTo })
  link.sent = upTo
}

function deliver(model: Model, link: Link, step: Extract<Step, { do: 'deliver' }>): void {
  if (link.messages.length === 0) return
  const i = step.pick % link.messages.length
  const [message] = step.twice ? [link.messages[i]] : link.messages.splice(i, 1)
  if (message !== undefined) receive(model, link, { message, isApplied: step.isApplied })
}

export function receive(
  model: Model,
  link: Link,
  { message, isApplied }: { message: Message; isApplied: boolean },
): void {
  const rows = at(model.peers, link.to).remote.get(link.from)
  if (message.after <= link.recorded) link.recorded = Math.max(link.recorded, message.upTo)
  for (const row of message.rows) {
    const before = rows?.get(row.entry.path)
    if (before === undefined || before.sequence < row.sequence) rows?.set(row.entry.path, row)
    if (isApplied) applyRow(model, { peer: link.to, from: link.from, row, dies: false })
  }
}

interface RowAt {
  readonly peer: number
  readonly from: number
  readonly row: Row
}

/** Returns whether anything changed. */
export function applyRow({ peers, world }: Model, what: RowAt & { dies: boolean }): boolean {
  const source = at(peers, what.from).index
  return apply(at(peers, what.peer), world, {
    remote: what.row.entry,
    dies: what.dies,
    source: (path) => source.get(path)?.entry,
  })
}

function fetch({ peers }: Model, { peer, from, row: { entry } }: RowAt): void {
  const held = at(peers, from).index.get(entry.path)?.entry
  if (entry.kind !== 'file' || held?.kind !== 'file' || held.digest !== entry.digest) return
  at(peers, peer).staged.add(entry.digest)
}

export function at<T>(list: readonly T[], i: number): T {
  const item = list[i]
  if (item === undefined) throw new Error(`no item ${i}`)
  return item
}
