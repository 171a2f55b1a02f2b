/** Addresses of a dns: peer are kept this long after they left the answer: a pod that restarts keeps its series. */
const keptAfterLeavingMs = 10 * 60_000

/** A configured address that stays out of the status is this peer itself or another name of one that is in it. */
const graceMs = 60_000

/** Which values the label `peer` has, from first seen to dropped. */
export interface PeerLabels {
  /** Counts the address as present now; true when it is new. */
  touch(address: string): boolean
  /** Forgets and gives the addresses that were not seen for too long. */
  expire(): readonly string[]
  all(): readonly string[]
}

/** `configured` are there from the start; the clock is monotonic milliseconds. */
export function createPeerLabels(configured: readonly string[], nowMs: () => number): PeerLabels {
  const seenMs = new Map(configured.map((address) => [address, nowMs()]))
  const limits = new Map(configured.map((address) => [address, graceMs]))
  return {
    touch: (address) => {
      const isNew = !seenMs.has(address)
      seenMs.set(address, nowMs())
      return isNew
    },
    expire: () => {
      const now = nowMs()
      const gone = [...seenMs]
        .filter(([address, atMs]) => now - atMs > (limits.get(address) ?? keptAfterLeavingMs))
        .map(([address]) => address)
      for (const address of gone) seenMs.delete(address)
      return gone
    },
    all: () => [...seenMs.keys()],
  }
}
