import type { ErrorCode } from '../core/errors.ts'
import type { ProblemCode } from '../core/problem.ts'
import type { Peers } from './links/peers.ts'
import type { Clock } from './ports.ts'
import type { ProblemList } from './problem-list.ts'
import type { Inbox } from './pull/inbox.ts'

/** A peer that does not list us for so long is reported (README, Settings: SYND_PEERS). */
const notListedMs = 60_000

/** What is said here of peers, and of nobody else. */
const peerCodes = [
  'peer-unresolved',
  'peer-untrusted',
  'peer-unreachable',
  'peer-not-listed',
  'source-failed',
] as const satisfies readonly ProblemCode[]

interface PeerProblem {
  readonly code: (typeof peerCodes)[number]
  /** An address, a name or a peer id. */
  readonly about: string
  readonly message: string
}

/** Lists what is wrong with peers: not resolved, not trusted, not reachable, listed on one side only, without a source that works. */
export function reportPeerProblems({
  peers,
  problems,
  clock,
  inbox,
}: {
  peers: Peers
  problems: ProblemList
  clock: Clock
  inbox: Inbox
}): void {
  const found = [
    ...unreached(peers),
    ...oneSided(peers, clock.monotonicMs()),
    ...sourceless(peers, { isPulling: inbox.busy + inbox.waiting > 0 }),
  ]
  for (const { code, about, message } of found)
    problems.set({ code, path: null, message }, clock.nowMs(), about)
  for (const code of peerCodes) {
    const about = found.filter((problem) => problem.code === code).map((problem) => problem.about)
    problems.keepOnly(code, about)
  }
}

function* unreached(peers: Peers): Generator<PeerProblem> {
  for (const name of peers.unresolved) {
    const message = `${name}: no address found; check SYND_PEERS and the name service`
    yield { code: 'peer-unresolved', about: name, message }
  }
  for (const { address, link, lastError } of peers.all()) {
    if (link !== null || lastError === null) continue
    const message = `${address}: ${lastError.message}`
    yield { code: codeOf(lastError.code), about: address, message }
  }
}

function codeOf(code: ErrorCode | null): PeerProblem['code'] {
  if (code === 'unresolved') return 'peer-unresolved'
  return code === 'untrusted' ? 'peer-untrusted' : 'peer-unreachable'
}

function* oneSided(peers: Peers, monotonicMs: number): Generator<PeerProblem> {
  const isLong = (sinceMs: number): boolean => monotonicMs - sinceMs >= notListedMs
  for (const { address, link, peerId, notListedSinceMs } of peers.all()) {
    const isHeard = peerId !== null && peers.callers.has(peerId)
    if (link === null || isHeard || notListedSinceMs === null || !isLong(notListedSinceMs)) continue
    const message = `${address} does not connect back: list this host in its SYND_PEERS, and check its firewall`
    yield { code: 'peer-not-listed', about: address, message }
  }
  for (const [peerId, { link, sinceMs }] of peers.callers) {
    const isListed = peers.all().some((peer) => peer.peerId === peerId || !peer.hasAnswered)
    if (isListed || peers.unresolved.length > 0 || !isLong(sinceMs)) continue
    const message = `${link.hello.name} (${peerId}) connects to this host, which does not list it in SYND_PEERS: nothing is pulled from it`
    yield { code: 'peer-not-listed', about: peerId, message }
  }
}

/** A hiccup is no problem once nothing waits for its end. */
function* sourceless(peers: Peers, { isPulling }: { isPulling: boolean }): Generator<PeerProblem> {
  for (const { address, name, link, sourceFailure } of peers.all()) {
    if (link === null || sourceFailure === null) continue
    if (sourceFailure.isTransient && !isPulling) continue
    const message = `nothing can be pulled from ${name ?? ''} (${address}): ${sourceFailure.message}`
    yield { code: 'source-failed', about: address, message }
  }
}
