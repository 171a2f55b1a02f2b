import { isLive } from '../../core/entry.ts'
import { sameObservation } from '../../core/observation.ts'
import { ancestorsOf, parentOf, type RelativePath } from '../../core/relative-path.ts'
import type { Put } from '../ledger.ts'
import type { LocalChanges } from '../local-changes.ts'
import type { Clock, Store, Volume } from '../ports.ts'
import type { Leftovers } from '../leftovers.ts'
import type { DirtyPaths } from './dirty-paths.ts'
import type { HashedDifference } from './findings.ts'
import type { Repairs } from './repairs.ts'
import { isTaken } from './is-taken.ts'
import { isSameRecord } from './same-record.ts'
import type { Scanned, Scope } from './scan.ts'
import type { Stamping } from './stamping.ts'
import type { Confirmed, Vanishing } from './vanishing.ts'

export interface ListingParts {
  readonly store: Store
  readonly volume: Volume
  readonly clock: Clock
  readonly dirty: DirtyPaths
  readonly leftovers: Leftovers
  readonly stamping: Stamping
  readonly localChanges: LocalChanges
  readonly vanishing: Vanishing
  readonly repairs: Repairs
  readonly isIgnored: (path: RelativePath, isDirectory: boolean) => boolean
}

/** What a round of a receive-only peer comes to: what differs from the index is listed, and stamped never (rule M5). */
export class Listing {
  readonly #parts: ListingParts

  constructor(parts: ListingParts) {
    this.#parts = parts
  }

  /** In the serial loop. Gives observations that are to be recorded: those of what is as the index says. */
  note(
    found: { readonly hashed: readonly HashedDifference[]; readonly confirmed: Confirmed },
    { present }: Scanned,
    scope: Scope,
  ): Put[] {
    const { store, repairs } = this.#parts
    const puts: Put[] = []
    for (const difference of found.hashed) {
      const { path, record } = difference
      if (!isSameRecord(store.get(path), record)) this.#lookAgain(path)
      else if (!repairs.isDamage(difference)) puts.push(...this.#noteFound(difference))
    }
    this.#noteGone(found.confirmed, new Set(found.hashed.map(({ path }) => path)))
    this.#noteOver(present, scope)
    return puts
  }

  #noteFound(difference: HashedDifference): Put[] {
    const { localChanges, stamping, leftovers } = this.#parts
    const { path, observation, record } = difference
    if (record !== null && stamping.isAsKnown(difference)) {
      localChanges.forget(path)
      const seen = record.observation
      if (seen !== null && sameObservation(seen, observation)) return []
      return [{ entry: record.entry, observation, isAnnounced: false, seenMs: null }]
    }
    if (observation.kind !== 'directory' || !leftovers.is(path, record))
      localChanges.note(path, { entry: stamping.unversioned(difference.finding), observation })
    return []
  }

  #noteGone(confirmed: Confirmed, found: ReadonlySet<RelativePath>): void {
    const { store, volume, vanishing, repairs, localChanges, isIgnored } = this.#parts
    for (const path of confirmed.keys()) {
      vanishing.forget(path)
      const record = store.get(path)
      if (found.has(path) || record === null || !isLive(record.entry)) continue
      if (isTaken(path, volume.look(path), isIgnored)) this.#lookAgain(path)
      else if (!repairs.isLoss(record)) localChanges.note(path, null)
    }
  }

  /** What was changed here and is not there any more, or is ignored by now. */
  #noteOver(present: ReadonlySet<RelativePath>, scope: Scope): void {
    const { localChanges, volume, store } = this.#parts
    if (localChanges.size === 0) return
    const looked = new Set(scope.paths.map(({ path }) => path))
    const isLookedAt = (path: RelativePath): boolean =>
      scope.isFullScan ||
      looked.has(path) ||
      (scope.isRootList && parentOf(path) === null) ||
      ancestorsOf(path).some((above) => looked.has(above))
    for (const path of localChanges.paths()) {
      if (present.has(path) || localChanges.isGone(path) || !isLookedAt(path)) continue
      const kind = localChanges.madeAt(path)?.observation.kind
      if (this.#parts.isIgnored(path, kind === 'directory')) localChanges.forget(path)
      else if (volume.look(path).kind !== 'absent') continue
      else if (isLive(store.get(path)?.entry)) localChanges.note(path, null)
      else localChanges.forget(path)
    }
  }

  #lookAgain(path: RelativePath): void {
    this.#parts.dirty.add(path, this.#parts.clock.monotonicMs())
  }
}
