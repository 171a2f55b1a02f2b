import { SyndError } from '../../core/errors.ts'
import { ancestorsOf, toText, type RelativePath } from '../../core/relative-path.ts'
import type { Damage } from '../damage.ts'
import type { Ledger } from '../ledger.ts'
import type { LocalChanges } from '../local-changes.ts'
import type { Clock, Observer, Store, Volume } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'
import type { Inbox } from '../pull/inbox.ts'
import type { Serial } from '../serial.ts'
import { crowding } from './crowding.ts'
import type { DirtyPaths } from './dirty-paths.ts'
import type { HeldDeletes } from './held-deletes.ts'
import type { Publisher } from './publisher.ts'

/** What people decide about held deletes (rule 19): `synd approve` and `synd reject`. */
export class DeleteVerdicts {
  readonly #store: Store
  readonly #volume: Volume
  readonly #serial: Serial
  readonly #ledger: Ledger
  readonly #inbox: Inbox
  readonly #publisher: Publisher
  readonly #heldDeletes: HeldDeletes
  readonly #damage: Damage
  readonly #localChanges: LocalChanges
  readonly #problems: ProblemList
  readonly #dirty: DirtyPaths
  readonly #clock: Clock
  readonly #observer: Observer

  constructor(parts: {
    store: Store
    volume: Volume
    serial: Serial
    ledger: Ledger
    inbox: Inbox
    publisher: Publisher
    heldDeletes: HeldDeletes
    damage: Damage
    localChanges: LocalChanges
    problems: ProblemList
    dirty: DirtyPaths
    clock: Clock
    observer: Observer
  }) {
    this.#store = parts.store
    this.#volume = parts.volume
    this.#serial = parts.serial
    this.#ledger = parts.ledger
    this.#inbox = parts.inbox
    this.#publisher = parts.publisher
    this.#heldDeletes = parts.heldDeletes
    this.#damage = parts.damage
    this.#localChanges = parts.localChanges
    this.#problems = parts.problems
    this.#dirty = parts.dirty
    this.#clock = parts.clock
    this.#observer = parts.observer
  }

  /** Lets the held deletes go; returns how many. */
  async approve(): Promise<number> {
    return this.#serial.run(async () => {
      const paths = this.#heldDeletes.all()
      if (paths.length > 0) this.#publisher.stampHeld(paths)
      return paths.length
    })
  }

  /** What this peer had and lost is nowhere any more: the disk stands as it is. */
  async giveUp(path: RelativePath): Promise<void> {
    try {
      await this.#serial.run(async () => this.#publisher.stampGivenUp(path))
    } catch (error) {
      if (!(error instanceof SyndError)) throw error
      this.#inbox.retry(path)
      return
    }
    this.#observer.log('warn', 'what was lost here is on no peer', { path: toText(path) })
    this.#damage.accept(path)
    this.#localChanges.leave(path)
    this.#problems.clear('damaged', path)
    this.#dirty.add(path, this.#clock.monotonicMs(), { mustHash: true })
    this.#publisher.wake.call()
  }

  /**
   * Takes the entries back from the peers, and whatever was changed on a receive-only peer; returns how many. What was in a directory that
   * something else has the place of stays held.
   */
  async reject(): Promise<number> {
    return this.#serial.run(async () => {
      const isCrowded = crowding(this.#volume)
      const paths = this.#heldDeletes.all().filter((path) => !ancestorsOf(path).some(isCrowded))
      if (paths.length > 0) this.#takeBack(paths)
      const changed = this.#localChanges.paths().filter((path) => this.#restore(path))
      return paths.length + changed.length
    })
  }

  /** Something is to be put into a directory whose delete is held, or not sent: an edit elsewhere beats it (rules 19 and M6). */
  async overrule(directory: RelativePath): Promise<void> {
    try {
      await this.#serial.run(async () => {
        if (this.#heldDeletes.has(directory)) this.#takeBack([directory])
        this.#restore(directory)
      })
    } catch (error) {
      // The index cannot be written now: whoever waits for the directory asks again.
      if (!(error instanceof SyndError)) throw error
    }
  }

  #restore(path: RelativePath): boolean {
    const isToBe = this.#localChanges.takeBack(path)
    if (isToBe) this.#inbox.add(path)
    return isToBe
  }

  #takeBack(paths: readonly RelativePath[]): void {
    const puts = paths
      .map((path) => this.#store.get(path))
      .filter((record) => record !== null)
      .map(({ entry }) => ({ entry, observation: null, isAnnounced: false, seenMs: null }))
    this.#ledger.commit(puts, { heldDeletes: { removed: paths } })
    this.#heldDeletes.forget(paths)
    for (const path of paths) this.#inbox.add(path)
  }
}
