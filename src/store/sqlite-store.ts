import type { DatabaseSync } from 'node:sqlite'

import type { Digest } from '../core/digest.ts'
import { errorCode } from '../core/errors.ts'
import type { Hold, IndexRecord, RemoteRecord } from '../core/index-record.ts'
import type { PeerId } from '../core/peer-id.ts'
import type { Sequence } from '../core/protocol.ts'
import type { RelativePath } from '../core/relative-path.ts'
import type { Identity, PeerRecord, Store, Transaction } from '../engine/ports.ts'
import { keptPaths, Recent } from './recent.ts'
import { advance, type Self } from './self-table.ts'
import { inTransaction, synced } from './statement.ts'
import { toStoreError } from './store-error.ts'
import type { Tables } from './tables.ts'

/** The index in a SQLite file. Made by `openStore`. */
export class SqliteStore implements Store {
  readonly #database: DatabaseSync
  readonly #path: string
  readonly #tables: Tables
  readonly #onDamage: () => void
  readonly #records = new Recent<IndexRecord | null>()
  readonly #remote = new Recent<readonly RemoteRecord[]>()
  #self: Self
  /** Who told anything that is still here; where it is one of two hosts, what it tells is all that anybody told. Null: not looked up. */
  #tellers: Set<PeerId> | null = null

  readonly #known = (path: RelativePath): IndexRecord | null | undefined => this.#records.get(path)

  /** `onDamage` is called before `store-damaged` is thrown. */
  constructor(parts: {
    readonly database: DatabaseSync
    readonly path: string
    readonly tables: Tables
    readonly self: Self
    readonly onDamage: () => void
  }) {
    this.#database = parts.database
    this.#path = parts.path
    this.#tables = parts.tables
    this.#self = parts.self
    this.#onDamage = parts.onDamage
  }

  identity(): Identity {
    return this.#self.identity
  }

  lastCounter(): number {
    return this.#self.lastCounter
  }

  lastSequence(): Sequence {
    return this.#self.lastSequence
  }

  get(path: RelativePath): IndexRecord | null {
    const known = this.#records.get(path)
    if (known !== undefined) return known
    const record = this.#guard(() => this.#tables.index.get(path))
    this.#records.set(path, record)
    return record
  }

  children(directory: RelativePath | null): readonly IndexRecord[] {
    const records = this.#guard(() => this.#tables.index.children(directory, this.#known))
    // Whoever lists a directory asks for what is in it next; of more than are kept the first would be forgotten by then.
    if (records.length <= keptPaths) {
      for (const record of records) this.#records.set(record.entry.path, record)
    }
    return records
  }

  hasLiveBelow(directory: RelativePath): boolean {
    return this.#guard(() => this.#tables.index.hasLiveBelow(directory))
  }

  all(): Iterable<IndexRecord> {
    return this.#guardEach(this.#tables.index.all())
  }

  changesAfter(sequence: Sequence, limit: number): readonly IndexRecord[] {
    return this.#guard(() => this.#tables.index.changesAfter(sequence, limit, this.#known))
  }

  findByDigest(digest: Digest, limit: number): readonly RelativePath[] {
    return this.#guard(() => this.#tables.index.findByDigest(digest, limit))
  }

  remote(path: RelativePath): readonly RemoteRecord[] {
    const known = this.#remote.get(path)
    if (known !== undefined) return known
    const remote = this.#guard(() => this.#tables.remote.of(path))
    this.#remote.set(path, remote)
    return remote
  }

  remoteOf(peer: PeerId, path: RelativePath): RemoteRecord | null {
    const known = this.#remote.get(path)
    if (known !== undefined) return known.find((record) => record.peer === peer) ?? null
    return this.#guard(() => this.#tables.remote.get(peer, path))
  }

  unequalRemote(): Iterable<RemoteRecord> {
    return this.#guardEach(this.#tables.remote.unequal())
  }

  unequalRemoteOf(peer: PeerId): Iterable<RemoteRecord> {
    return this.#guardEach(this.#tables.remote.unequalOf(peer))
  }

  peers(): readonly PeerRecord[] {
    return this.#guard(() => this.#tables.peers.all())
  }

  peer(peerId: PeerId): PeerRecord | null {
    return this.#guard(() => this.#tables.peers.get(peerId))
  }

  holds(): readonly Hold[] {
    return this.#guard(() => this.#tables.holds.all())
  }

  releasedHolds(): readonly string[] {
    return this.#guard(() => this.#tables.holds.released())
  }

  recordHolds(holds: readonly Hold[]): void {
    this.#guard(() =>
      inTransaction(this.#database, () => {
        for (const hold of holds) this.#tables.holds.put(hold)
      }),
    )
  }

  heldDeletes(): readonly RelativePath[] {
    return this.#guard(() => this.#tables.heldDeletes.all())
  }

  commit(transaction: Transaction): void {
    const self = advance(this.#self, transaction)
    const write = (): void =>
      inTransaction(this.#database, () => {
        this.#write(transaction)
        this.#tables.self.save(self, this.#self)
      })
    // Whether the life before ended by a power loss is known only if that outlives it, and all before it (rule 23).
    try {
      this.#guard(() =>
        transaction.identity === undefined ? write() : synced(this.#database, write),
      )
    } catch (error) {
      this.#records.clear()
      this.#remote.clear()
      throw error
    }
    this.#self = self
    this.#note(transaction)
  }

  close(): void {
    this.#records.clear()
    this.#remote.clear()
    this.#guard(() => this.#database.close())
  }

  #write(transaction: Transaction): void {
    const { index, remote, peers, holds, heldDeletes } = this.#tables
    for (const path of transaction.forgotten ?? []) index.forget(path)
    for (const record of transaction.records ?? []) index.put(record)
    if (transaction.isRemoteForgotten === true) remote.clear()
    for (const record of transaction.remote ?? []) remote.put(record)
    for (const record of transaction.recorded ?? []) peers.put(record)
    holds.forgetReleased(transaction.unlinkedHolds ?? [])
    holds.release(transaction.releasedHolds ?? [])
    for (const path of transaction.heldDeletes?.removed ?? []) heldDeletes.remove(path)
    for (const path of transaction.heldDeletes?.added ?? []) heldDeletes.add(path)
  }

  /** What was just committed is what will be asked for. */
  #note({ forgotten = [], records = [], isRemoteForgotten, remote = [] }: Transaction): void {
    for (const path of forgotten) this.#records.set(path, null)
    for (const record of records) this.#records.set(record.entry.path, record)
    if (isRemoteForgotten === true) {
      this.#remote.clear()
      this.#tellers = null
    }
    if (remote.length === 0) return
    this.#tellers ??= new Set(this.#guard(() => this.#tables.remote.peers()))
    for (const { peer } of remote) this.#tellers.add(peer)
    for (const record of remote) this.#noteRemote(record, this.#tellers)
  }

  #noteRemote(record: RemoteRecord, tellers: ReadonlySet<PeerId>): void {
    const { path } = record.entry
    const known = this.#remote.get(path) ?? (tellers.size === 1 ? [] : undefined)
    if (known === undefined) return
    const others = known.filter(({ peer }) => peer !== record.peer)
    this.#remote.set(
      path,
      [...others, record].toSorted((a, b) => (a.peer < b.peer ? -1 : 1)),
    )
  }

  #guard<Result>(work: () => Result): Result {
    try {
      return work()
    } catch (error) {
      const storeError = toStoreError(error, this.#path)
      if (errorCode(storeError) === 'store-damaged') this.#onDamage()
      throw storeError
    }
  }

  *#guardEach<Item>(items: Iterator<Item, void>): Generator<Item, void, void> {
    for (;;) {
      const next = this.#guard(() => items.next())
      if (next.done === true) return
      yield next.value
    }
  }
}
