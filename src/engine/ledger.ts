import { isLive, type Entry } from '../core/entry.ts'
import type { IndexRecord } from '../core/index-record.ts'
import type { Observation } from '../core/observation.ts'
import type { Sequence } from '../core/protocol.ts'
import type { RelativePath } from '../core/relative-path.ts'
import type { Census } from './census.ts'
import type { Store, Transaction } from './ports.ts'
import type { Self } from './self.ts'

/** One record to commit. */
export interface Put {
  readonly entry: Entry
  readonly observation: Observation | null
  /** False keeps the sequence: only the observation is new. */
  readonly isAnnounced: boolean
  /** When the change was seen on this disk; null for what came from a peer. */
  readonly seenMs: number | null
}

/** One record as it was committed. */
export interface Committed {
  readonly before: IndexRecord | null
  readonly after: IndexRecord
  readonly seenMs: number | null
}

/** Who is told of every commit: deliveries, inbox. Called before `commit` returns, must not throw. */
export type CommitListener = (commits: readonly Committed[]) => void

/** Who is told of what left without a tombstone: deliveries. */
export type ForgetListener = (records: readonly IndexRecord[]) => void

/** The only place where index records are committed: gives sequences, keeps the census, tells the listeners. */
export class Ledger {
  readonly #store: Store
  readonly #self: Self
  readonly #census: Census
  readonly #listeners: CommitListener[] = []
  readonly #forgetListeners: ForgetListener[] = []
  #lastSequence: Sequence

  constructor({ store, self, census }: { store: Store; self: Self; census: Census }) {
    this.#store = store
    this.#self = self
    this.#census = census
    this.#lastSequence = store.lastSequence()
  }

  get lastSequence(): Sequence {
    return this.#lastSequence
  }

  onCommit(listener: CommitListener): void {
    this.#listeners.push(listener)
  }

  onForget(listener: ForgetListener): void {
    this.#forgetListeners.push(listener)
  }

  /** Counts what the index holds at the start. */
  load(): void {
    for (const record of this.#store.all()) this.#census.replace(null, record)
  }

  /** Commits in the order given, all or nothing; durable when it returns. */
  commit(puts: readonly Put[], rest: Omit<Transaction, 'records' | 'lastCounter'> = {}): void {
    let sequence = this.#lastSequence
    const latest = new Map<RelativePath, IndexRecord>()
    const commits = puts.map(({ entry, observation, isAnnounced, seenMs }): Committed => {
      const before = latest.get(entry.path) ?? this.#store.get(entry.path)
      const isVersioned = entry.version.size > 0
      const kept = isVersioned ? (before?.sequence ?? 0) : 0
      const after = { entry, observation, sequence: isAnnounced && isVersioned ? ++sequence : kept }
      latest.set(entry.path, after)
      return { before, after, seenMs }
    })
    this.#store.commit({
      ...rest,
      records: commits.map(({ after }) => after),
      lastCounter: this.#self.lastCounter,
    })
    this.#lastSequence = sequence
    for (const { before, after } of commits) this.#census.replace(before, after)
    for (const listener of this.#listeners) listener(commits)
  }

  /** Records leave the index without a tombstone: never announced, or ignored by now (rule 14). */
  forget(paths: readonly RelativePath[]): void {
    const records = paths.map((path) => this.#store.get(path)).filter((record) => record !== null)
    if (records.length === 0) return
    this.#store.commit({ forgotten: records.map(({ entry }) => entry.path) })
    for (const record of records) this.#census.replace(record, null)
    for (const listener of this.#forgetListeners) listener(records)
  }

  /** Whether the path is a live directory in the index; the root always is. */
  isDirectory(path: RelativePath | null): boolean {
    if (path === null) return true
    const entry = this.#store.get(path)?.entry
    return isLive(entry) && entry.kind === 'directory'
  }
}
