import type { Finding } from '../../core/detect.ts'
import { contentDigest, isLive, type Entry } from '../../core/entry.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import type { Observation } from '../../core/observation.ts'
import { ancestorsOf, type RelativePath } from '../../core/relative-path.ts'
import type { Damage } from '../damage.ts'
import type { Clock, Volume } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'
import type { Inbox } from '../pull/inbox.ts'
import type { HashedDifference } from './findings.ts'

/** Rule 23 for what a round found: what a power loss left is nothing that anybody did. It is listed, and pulled again. */
export class Repairs {
  readonly #damage: Damage
  readonly #problems: ProblemList
  readonly #inbox: Inbox
  readonly #clock: Clock
  readonly #volume: Volume

  constructor(parts: {
    damage: Damage
    problems: ProblemList
    inbox: Inbox
    clock: Clock
    volume: Volume
  }) {
    this.#damage = parts.damage
    this.#problems = parts.problems
    this.#inbox = parts.inbox
    this.#clock = parts.clock
    this.#volume = parts.volume
  }

  /** What was found is damage. */
  isDamage({ path, record, finding }: HashedDifference): boolean {
    if (record === null) return false
    const isSame = isSameContent(record.entry, finding)
    if (isSame) this.#damage.repaired(path)
    return !isSame && this.#isNoted(record, finding.observation)
  }

  /** That nothing was found is damage. */
  isLoss(record: IndexRecord): boolean {
    return this.#isNoted(record, null)
  }

  /** It was damaged, and nobody has it: what is on the disk is to be stamped as it is. */
  isGivenUp(path: RelativePath): boolean {
    return this.#damage.isAccepted(path)
  }

  /** Nobody knows which version it is over: the index has lost what it last said of the path (durability none). */
  isUnrecorded({ record, finding }: HashedDifference): boolean {
    if (record === null || !this.#damage.isUnrecorded(finding.observation)) return false
    return isLive(record.entry) && !isSameContent(record.entry, finding)
  }

  /** It is damaged, and not pulled again yet. */
  isPending(path: RelativePath): boolean {
    return this.#damage.has(path)
  }

  #isNoted(record: IndexRecord, seen: Observation | null): boolean {
    const isMissing = seen === null && this.#damage.isSuspecting
    const place = isMissing ? this.#placeOf(record.entry.path) : null
    if (!this.#damage.note(record, seen, place)) return false
    this.#repair(record.entry.path)
    return true
  }

  /** The directory in which something is missing: the nearest that is there. */
  #placeOf(path: RelativePath): Observation | null {
    for (const directory of [...ancestorsOf(path).toReversed(), null]) {
      const look = this.#volume.look(directory)
      if (look.kind === 'unreadable') return null
      if (look.kind === 'present') return look.observation
    }
    return null
  }

  #repair(path: RelativePath): void {
    const message = 'damaged by a power loss or put back to an older state: it is pulled again'
    this.#problems.set({ code: 'damaged', path, message }, this.#clock.nowMs())
    this.#inbox.add(path)
  }
}

function isSameContent(entry: Entry, { observation, digest }: Finding): boolean {
  return entry.kind === observation.kind && contentDigest(entry) === digest
}
