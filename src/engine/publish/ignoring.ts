import { isLive } from '../../core/entry.ts'
import { ignoreFilePath, isIgnoredBy, nothingIgnored, type IgnoreRules } from '../../core/ignore.ts'
import { sameObservation, type Observation } from '../../core/observation.ts'
import { applyProblems } from '../../core/problem.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Damage } from '../damage.ts'
import type { Ledger } from '../ledger.ts'
import type { Clock, Observer, Store, Volume, Watcher } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'
import type { Inbox } from '../pull/inbox.ts'
import type { Sha256 } from '../../core/digest.ts'
import type { Serial } from '../serial.ts'
import type { DirtyPaths } from './dirty-paths.ts'
import type { HeldDeletes } from './held-deletes.ts'

/** Forgotten in one commit. */
const forgetAtOnce = 1_000

export interface IgnoringParts {
  readonly store: Store
  readonly volume: Volume
  readonly ledger: Ledger
  readonly serial: Serial
  readonly watcher: Watcher
  readonly dirty: DirtyPaths
  readonly inbox: Inbox
  readonly heldDeletes: HeldDeletes
  readonly damage: Damage
  readonly problems: ProblemList
  readonly clock: Clock
  readonly observer: Observer
  readonly sha256: Sha256
  /** What others have under names that are ignored no more must be told anew, and what is found there is as found in joining. */
  readonly rejoin: () => void
  /** Something is to be looked at. */
  readonly wake: () => void
}

/**
 * Which paths are not synced (rule 14). The file on the disk counts, whoever put it there: it is looked at before each round, so that what a
 * person deletes after ignoring it is no delete.
 */
export class Ignoring {
  readonly #parts: IgnoringParts
  #rules: IgnoreRules = nothingIgnored
  /** What the rules were read from (null: no file); undefined: they were not read yet. */
  #readFrom: Observation | null | undefined = undefined

  constructor(parts: IgnoringParts) {
    this.#parts = parts
  }

  isIgnored(path: RelativePath, isDirectory: boolean): boolean {
    return isIgnoredBy(this.#rules, path, isDirectory)
  }

  /** Reads the file where it is another than before. False: nobody knows what is ignored, so nothing may be looked at; it is listed why. */
  async refresh(): Promise<boolean> {
    return this.#isAsRead() || this.#parts.serial.run(async () => this.read())
  }

  /** Reads the file, and draws the consequences where it says something else than before; in the serial loop. */
  async read(): Promise<boolean> {
    const { volume } = this.#parts
    const look = volume.look(ignoreFilePath)
    if (look.kind === 'unreadable') return this.#failed(look.message)
    const rules = await volume.readIgnoreRules()
    if (typeof rules === 'string') return this.#failed(rules)
    this.#parts.problems.clear('ignore-file', ignoreFilePath)
    const isFirst = this.#readFrom === undefined
    this.#readFrom = look.kind === 'present' ? look.observation : null
    if (isFirst || rules.text !== this.#rules.text) this.#take(rules, isFirst)
    return true
  }

  /** What is at the path, and below it, leaves the index without a tombstone; in the serial loop. */
  forgetTree(path: RelativePath): void {
    const { store } = this.#parts
    const paths = [path]
    for (const directory of paths)
      paths.push(...store.children(directory).map(({ entry }) => entry.path))
    this.#forget(paths)
  }

  #isAsRead(): boolean {
    const look = this.#parts.volume.look(ignoreFilePath)
    if (look.kind === 'unreadable' || this.#readFrom === undefined) return false
    return isSame(this.#readFrom, look.kind === 'present' ? look.observation : null)
  }

  #failed(message: string): false {
    const { problems, clock } = this.#parts
    const said = `${message}. Until it can be read no change in this volume is looked at`
    problems.set({ code: 'ignore-file', path: ignoreFilePath, message: said }, clock.nowMs())
    return false
  }

  #take(rules: IgnoreRules, isFirst: boolean): void {
    const { store, inbox, observer, rejoin, watcher, dirty, wake } = this.#parts
    // Before: a crash in between must not leave the new rules without their consequences. What a peer sent has had them (applier.ts).
    if (this.#isNews(rules)) rejoin()
    this.#rules = rules
    this.#forgetIgnored()
    for (const { entry } of store.unequalRemote()) inbox.add(entry.path)
    watcher.ignore((directory) => this.isIgnored(directory, true))
    // The first scan is not before the watch is established.
    if (isFirst) return
    observer.log('info', 'what is ignored has changed', { bytes: rules.text.length })
    dirty.addFullScan()
    wake()
  }

  /** Whether the index does not know this of the file. */
  #isNews({ text }: IgnoreRules): boolean {
    const entry = this.#parts.store.get(ignoreFilePath)?.entry
    const nothing = this.#parts.sha256('')
    const known = entry?.kind === 'file' ? entry.digest : nothing
    return known !== this.#parts.sha256(text)
  }

  /** What became ignored leaves the index without a tombstone; so does a copy that was ignored when it was made, to be found anew. */
  #forgetIgnored(): void {
    const { store } = this.#parts
    const ignored: RelativePath[] = []
    for (const { entry, sequence } of store.all()) {
      const isUntold = sequence === 0 && entry.version.size > 0
      const isIgnored = isUntold || this.isIgnored(entry.path, entry.kind === 'directory')
      if (isLive(entry) && isIgnored) ignored.push(entry.path)
    }
    for (let start = 0; start < ignored.length; start += forgetAtOnce)
      this.#forget(ignored.slice(start, start + forgetAtOnce))
  }

  #forget(paths: readonly RelativePath[]): void {
    const { ledger, heldDeletes, damage, problems, inbox } = this.#parts
    const held = paths.filter((path) => heldDeletes.has(path))
    ledger.forget(paths)
    heldDeletes.release(held)
    for (const path of paths) {
      damage.repaired(path)
      problems.clearAll(applyProblems, path)
      inbox.add(path)
    }
  }
}

function isSame(a: Observation | null, b: Observation | null): boolean {
  return a === null || b === null ? a === b : sameObservation(a, b)
}
