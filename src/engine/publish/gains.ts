import { ancestorsOf, type RelativePath } from '../../core/relative-path.ts'
import type { Leftovers } from '../leftovers.ts'
import type { Ledger, Put } from '../ledger.ts'
import type { Clock, Store, Volume } from '../ports.ts'
import type { DirtyPaths } from './dirty-paths.ts'
import type { HashedDifference } from './findings.ts'
import type { Losses } from './losses.ts'
import type { Repairs } from './repairs.ts'
import { isSameRecord } from './same-record.ts'
import type { Stamping } from './stamping.ts'
import type { Confirmed } from './vanishing.ts'

/** What is to be committed, and whether something took the place of a directory. */
export interface Step extends Put {
  readonly replacesDirectory: boolean
}

export interface GainsParts {
  readonly store: Store
  readonly volume: Volume
  readonly clock: Clock
  readonly ledger: Ledger
  readonly dirty: DirtyPaths
  readonly stamping: Stamping
  readonly leftovers: Leftovers
  readonly repairs: Repairs
  readonly losses: Losses
}

/** What is new or changed becomes versions, with the directories that it needs, unless it is damage or must wait. Commits nothing. */
export class Gains {
  readonly #parts: GainsParts

  constructor(parts: GainsParts) {
    this.#parts = parts
  }

  /** In the serial loop. */
  stamp(hashed: readonly HashedDifference[], confirmed: Confirmed): Step[] {
    const { store, stamping, repairs, losses } = this.#parts
    const steps = new Map<RelativePath, Step>()
    for (const difference of hashed) {
      const { path, observation, record } = difference
      if (!isSameRecord(store.get(path), record)) {
        this.#lookAgain(path)
        continue
      }
      // Stamped already for what is in it.
      if (steps.has(path)) continue
      if (repairs.isDamage(difference)) continue
      const replacesDirectory =
        record?.entry.kind === 'directory' && observation.kind !== 'directory'
      if (replacesDirectory && record !== null) {
        if (!losses.isReplaceable(record, confirmed)) continue
      }
      if (!this.#isLeftover(difference) && this.#raiseParents(path, steps)) {
        const isLost = repairs.isGivenUp(path) || repairs.isUnrecorded(difference)
        const put = isLost ? stamping.left(difference) : stamping.found(difference)
        if (put !== null) steps.set(path, { ...put, replacesDirectory })
      }
    }
    return [...steps.values()]
  }

  /** A live entry needs live directories above it: a tombstoned one that is on the disk again is stamped. False: look again. */
  #raiseParents(path: RelativePath, steps: Map<RelativePath, Step>): boolean {
    const { store, volume, ledger, clock } = this.#parts
    for (const ancestor of ancestorsOf(path)) {
      if (ledger.isDirectory(ancestor) || steps.get(ancestor)?.entry.kind === 'directory') continue
      const look = volume.look(ancestor)
      if (look.kind !== 'present' || look.observation.kind !== 'directory') {
        this.#parts.dirty.add(path, clock.monotonicMs(), { delayMs: 50 })
        return false
      }
      const { observation } = look
      const finding = { path: ancestor, observation, digest: null, target: null }
      const put = this.#raised({
        path: ancestor,
        observation,
        record: store.get(ancestor),
        finding,
      })
      if (put !== null) steps.set(ancestor, { ...put, replacesDirectory: false })
    }
    return true
  }

  /** A directory that must be there is no change of what a power loss took from its place (rule 23). */
  #raised(difference: HashedDifference): Put | null {
    const { stamping, repairs } = this.#parts
    const isLost = repairs.isDamage(difference) || repairs.isGivenUp(difference.path)
    if (isLost && difference.record !== null)
      return stamping.beside(difference.finding, difference.record.entry)
    return repairs.isUnrecorded(difference) ? stamping.left(difference) : stamping.found(difference)
  }

  /** A deleted directory that stays on disk for unsyncable things inside resurrects nothing (rule 14). */
  #isLeftover({ path, record, observation }: HashedDifference): boolean {
    return observation.kind === 'directory' && this.#parts.leftovers.is(path, record)
  }

  #lookAgain(path: RelativePath): void {
    this.#parts.dirty.add(path, this.#parts.clock.monotonicMs())
  }
}
