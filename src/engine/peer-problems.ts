import type { Peers } from './links/peers.ts'
import type { Clock } from './ports.ts'
import type { ProblemList } from './problem-list.ts'

/** A peer that does not list us for so long is reported (README, Settings: SYND_PEERS). */
const notListedMs = 60_000

/** Lists what is wrong with peers: not resolved, not reachable, listed on one side only. */
export function reportPeerProblems({
  peers,
  problems,
  clock,
}: {
  peers: Peers
  problems: ProblemList
  clock: Clock
}): void {
  const nowMs = clock.nowMs()
  const monotonicMs = clock.monotonicMs()
  problems.keepOnly('peer-unresolved', peers.unresolved)
  for (const name of peers.unresolved) {
    const message = `${name}: no address found; check SYND_PEERS and the name service`
    problems.set({ code: 'peer-unresolved', path: null, message }, nowMs, name)
  }
  for (const { address, link, lastError, peerId, notListedSinceMs } of peers.all()) {
    if (link === null && lastError !== null) {
      problems.set(
        { code: 'peer-unreachable', path: null, message: `${address}: ${lastError}` },
        nowMs,
        address,
      )
    } else problems.clear('peer-unreachable', null, address)
    const isHeard = peerId !== null && peers.callers.has(peerId)
    const isOneSided =
      notListedSinceMs !== null && !isHeard && monotonicMs - notListedSinceMs >= notListedMs
    if (link !== null && isOneSided) {
      const message = `${address} does not connect back: list this host in its SYND_PEERS, and check its firewall`
      problems.set({ code: 'peer-not-listed', path: null, message }, nowMs, address)
    } else problems.clear('peer-not-listed', null, address)
  }
  for (const [peerId, { link, sinceMs }] of peers.callers) {
    const isListed = peers.all().some((peer) => peer.peerId === peerId || !peer.hasAnswered)
    const isOneSided =
      !isListed && peers.unresolved.length === 0 && monotonicMs - sinceMs >= notListedMs
    if (isOneSided) {
      const message = `${link.hello.name} (${peerId}) connects to this host, which does not list it in SYND_PEERS: nothing is pulled from it`
      problems.set({ code: 'peer-not-listed', path: null, message }, nowMs, peerId)
    } else problems.clear('peer-not-listed', null, peerId)
  }
}
