import { contentDigest } from '../../core/entry.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Damage } from '../damage.ts'
import type { Clock } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'
import type { Inbox } from '../pull/inbox.ts'
import type { HashedDifference } from './findings.ts'

/** Rule 23 for what a round found: what a power loss left is nothing that anybody did. It is listed, and pulled again. */
export class Repairs {
  readonly #damage: Damage
  readonly #problems: ProblemList
  readonly #inbox: Inbox
  readonly #clock: Clock

  constructor(parts: { damage: Damage; problems: ProblemList; inbox: Inbox; clock: Clock }) {
    this.#damage = parts.damage
    this.#problems = parts.problems
    this.#inbox = parts.inbox
    this.#clock = parts.clock
  }

  /** What was found is damage. */
  isDamage({ path, record, finding }: HashedDifference): boolean {
    if (record === null) return false
    const { entry } = record
    const isSame =
      entry.kind === finding.observation.kind && contentDigest(entry) === finding.digest
    if (isSame) this.#damage.repaired(path)
    return !isSame && this.#isNoted(record, finding.observation)
  }

  /** That nothing was found is damage. */
  isLoss(record: IndexRecord): boolean {
    return this.#isNoted(record, null)
  }

  /** It is damaged, and not pulled again yet. */
  isPending(path: RelativePath): boolean {
    return this.#damage.has(path)
  }

  #isNoted(record: IndexRecord, seen: IndexRecord['observation']): boolean {
    if (!this.#damage.note(record, seen)) return false
    this.#repair(record.entry.path)
    return true
  }

  #repair(path: RelativePath): void {
    const message = 'a power loss damaged it: it is pulled again'
    this.#problems.set({ code: 'damaged', path, message }, this.#clock.nowMs())
    this.#inbox.add(path)
  }
}
