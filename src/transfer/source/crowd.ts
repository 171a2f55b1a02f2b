/** Who is connected, so that floods push out each other and not honest peers. */
export interface Crowd<Guest> {
  /** Who has to leave for it: perhaps the guest itself; null when there is room. */
  enter(guest: Guest, group: string): Guest | null
  leave(guest: Guest): void
}

export interface CrowdRules<Guest> {
  readonly max: number
  readonly maxPerGroup: number
  /** Goes first. */
  readonly isExpendable: (guest: Guest) => boolean
  /** Goes when nobody is expendable. */
  readonly otherwise: 'oldest' | 'newest'
}

/**
 * A group over its limit loses one of its own; over the limit of all, the largest group does: a host that opens a thousand connections only
 * competes with itself.
 */
export function createCrowd<Guest>(rules: CrowdRules<Guest>): Crowd<Guest> {
  const groups = new Map<string, Set<Guest>>()
  const groupOf = new Map<Guest, string>()

  function enter(guest: Guest, group: string): Guest | null {
    const members = groups.get(group) ?? new Set()
    groups.set(group, members.add(guest))
    groupOf.set(guest, group)
    if (members.size > rules.maxPerGroup) return leaver(members, guest)
    if (groupOf.size > rules.max) return leaver(largest(members), guest)
    return null
  }

  function leaver(members: ReadonlySet<Guest>, newest: Guest): Guest {
    let oldest: Guest | null = null
    for (const member of members) {
      if (member !== newest && rules.isExpendable(member)) return member
      oldest ??= member
    }
    return rules.otherwise === 'newest' ? newest : (oldest ?? newest)
  }

  function largest(start: ReadonlySet<Guest>): ReadonlySet<Guest> {
    let found = start
    for (const members of groups.values()) if (members.size > found.size) found = members
    return found
  }

  function leave(guest: Guest): void {
    const group = groupOf.get(guest)
    if (group === undefined) return
    groupOf.delete(guest)
    const members = groups.get(group)
    members?.delete(guest)
    if (members?.size === 0) groups.delete(group)
  }

  return { enter, leave }
}
