import { canHaveCopy, conflictCopyOf, type Loser } from '../../src/core/conflict.ts'
import {
  announcedVersion,
  detect,
  newVersion,
  tombstoneOf,
  type Finding,
} from '../../src/core/detect.ts'
import type { Digest } from '../../src/core/digest.ts'
import { isLive, sameContent, sameEntry, type Entry } from '../../src/core/entry.ts'
import type { PeerId } from '../../src/core/peer-id.ts'
import type { Decision } from '../../src/core/reconcile.ts'
import type { RelativePath } from '../../src/core/relative-path.ts'
import { coversDot, dotsEqual, type Dot } from '../../src/core/version-vector.ts'
import { isContent, type Truth } from './one-path-oracle.ts'

export interface Row {
  readonly sequence: number
  readonly entry: Entry
}

/** The rules of the product, or some of them put out of order to see it fail. */
export interface Rules {
  reconcile(local: Entry | null, remote: Entry, hasCopyOf: (loser: Entry) => boolean): Decision
  /** Whether what the other side announced last makes `ours` not worth telling. */
  isKnown(ours: Entry, theirs: Entry): boolean
}

/** One peer: what its disk holds, and what its neighbours told it (rule 16). */
export interface Peer {
  readonly id: PeerId
  readonly keepsModes: boolean
  readonly clockSkewMs: number
  /** In order of sequence. */
  readonly index: Map<RelativePath, Row>
  /** By neighbour. */
  readonly remote: Map<number, Map<RelativePath, Row>>
  /** Bytes fetched ahead. */
  readonly staged: Set<Digest>
  lastSequence: number
  lastCounter: number
}

/** What is around the peers. */
export interface World {
  readonly rules: Rules
  readonly truth: Truth
  nowMs: number
  /** Conflicts resolved so far. */
  conflicts: number
}

/** What a look finds at a path, and whether a user put it there. */
export interface Seen {
  readonly path: RelativePath
  readonly finding: Finding | null
  readonly isUser: boolean
}

/** What a scan makes of what it sees. Returns whether that is news. */
export function scan(peer: Peer, world: World, { path, finding, isUser }: Seen): boolean {
  const known = peer.index.get(path)?.entry ?? null
  const dot = nextDot(peer, world)
  const entry =
    finding === null
      ? isLive(known) && tombstoneOf(known, { dot, deletedUs: world.nowMs * 1000 })
      : foundVersion(peer, { known, finding, dot })
  if (entry === false) return false
  if (isUser) remember(world.truth, known, entry)
  put(peer, entry)
  return true
}

/** Rule 10; false: nothing new. */
function foundVersion(
  peer: Peer,
  { known, finding, dot }: { known: Entry | null; finding: Finding; dot: Dot },
): Entry | false {
  if (detect(known, finding, peer) === 'nothing') return false
  const found = newVersion(known, finding, { dot, keepsModes: peer.keepsModes })
  const announced = [...peer.remote.values()].flatMap((rows) => {
    const row = rows.get(finding.path)
    return row === undefined ? [] : [row.entry]
  })
  return announcedVersion(known, found, announced) ?? found
}

function remember(truth: Truth, known: Entry | null, entry: Entry): void {
  truth.made.push(entry)
  if (known === null || !dotsEqual(known.metadataDot, entry.metadataDot)) truth.metadata.push(entry)
  if (known !== null && sameContent(known, entry)) return
  if (isContent(known)) truth.overwritten.push(known)
  if (isContent(entry)) truth.written.push(entry)
}

/** Rule 2. */
function nextDot(peer: Peer, world: World): Dot {
  peer.lastCounter = Math.max(peer.lastCounter + 1, world.nowMs + peer.clockSkewMs)
  return { peer: peer.id, counter: peer.lastCounter }
}

function put(peer: Peer, entry: Entry): void {
  peer.index.delete(entry.path)
  peer.index.set(entry.path, { sequence: ++peer.lastSequence, entry })
}

/** What a neighbour announced; what it still holds of a path; whether the peer dies between disk and commit. */
export interface Announced {
  readonly remote: Entry
  readonly source: (path: RelativePath) => Entry | undefined
  readonly dies: boolean
}

/** Decides and applies. Returns whether anything changed. */
export function apply(peer: Peer, world: World, { remote, source, dies }: Announced): boolean {
  const local = peer.index.get(remote.path)?.entry ?? null
  const decision = world.rules.reconcile(local, remote, (loser) => hasCopyOf(peer, loser))
  if (decision.kind === 'stamp') throw new Error('nobody is joining here')
  if (decision.kind !== 'become') return false
  const { entry, loser } = decision
  if (local !== null && sameEntry(local, entry)) throw new Error('became what it was')
  if (!hasBytes(peer, local, entry) && !isHeldBy(source, entry)) return false
  if (loser !== null && canHaveCopy(loser)) makeCopy(peer, world, loser)
  if (!dies) {
    put(peer, entry)
    return true
  }
  world.truth.hasDied = true
  scan(peer, world, { path: entry.path, finding: findingOf(entry), isUser: false })
  return true
}

function hasBytes(peer: Peer, local: Entry | null, entry: Entry): boolean {
  if (entry.kind !== 'file' || (local !== null && sameContent(local, entry))) return true
  if (peer.staged.has(entry.digest)) return true
  for (const row of peer.index.values()) {
    if (row.entry.kind === 'file' && row.entry.digest === entry.digest) return true
  }
  return false
}

/** Rule 16: a source that holds something else by now is none. */
function isHeldBy(source: Announced['source'], entry: Entry): boolean {
  const held = source(entry.path)
  return held !== undefined && sameContent(held, entry)
}

/** Rule 7. */
function makeCopy(peer: Peer, world: World, loser: Loser): void {
  world.conflicts++
  const copy = conflictCopyOf(loser, attemptFor(peer, loser))
  const existing = peer.index.get(copy.path)?.entry ?? null
  const decision = world.rules.reconcile(existing, copy, (other) => hasCopyOf(peer, other))
  if (decision.kind === 'become') put(peer, decision.entry)
}

/** Rule 4. */
function hasCopyOf(peer: Peer, loser: Entry): boolean {
  if (!canHaveCopy(loser)) return false
  const existing = peer.index.get(conflictCopyOf(loser, attemptFor(peer, loser)).path)?.entry
  return existing !== undefined && coversDot(existing.version, loser.contentDot)
}

/** The first name that is free, or has this very content. */
function attemptFor(peer: Peer, loser: Loser): number {
  for (let attempt = 0; ; attempt++) {
    const copy = conflictCopyOf(loser, attempt)
    const existing = peer.index.get(copy.path)?.entry
    if (existing === undefined || coversDot(existing.version, loser.contentDot)) return attempt
    if (sameContent(existing, copy)) return attempt
  }
}

/** What a look finds of an entry that is on the disk; null when that is nothing. */
export function findingOf(entry: Entry): Finding | null {
  if (entry.kind === 'tombstone') return null
  return {
    path: entry.path,
    digest: entry.kind === 'directory' ? null : entry.digest,
    target: entry.kind === 'symlink' ? entry.target : null,
    observation: {
      kind: entry.kind,
      mode: entry.mode,
      mtimeNs: BigInt(entry.mtimeUs) * 1000n,
      ctimeNs: 0n,
      sizeBytes: entry.kind === 'file' ? entry.sizeBytes : 0,
      inode: 0n,
      device: 0n,
    },
  }
}
