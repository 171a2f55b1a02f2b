/** How many sessions are open, by key, over all its connections. */
export interface SessionCounts {
  /** False when the key has as many as it may have. */
  enter(key: string): boolean
  leave(key: string): void
}

/** What a session holds for one that does not read is bounded; so is, by this, what a member holds with all of its sessions. */
export function createSessionCounts(maxPerKey: number): SessionCounts {
  const counts = new Map<string, number>()
  return {
    enter: (key) => {
      const count = counts.get(key) ?? 0
      if (count >= maxPerKey) return false
      counts.set(key, count + 1)
      return true
    },
    leave: (key) => {
      const count = counts.get(key) ?? 0
      if (count > 1) counts.set(key, count - 1)
      else counts.delete(key)
    },
  }
}
