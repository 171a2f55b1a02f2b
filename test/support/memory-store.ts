import type { Digest } from '../../src/core/digest.ts'
import { isLive, sameEntry } from '../../src/core/entry.ts'
import type { Hold, IndexRecord, RemoteRecord } from '../../src/core/index-record.ts'
import type { PeerId } from '../../src/core/peer-id.ts'
import type { Sequence } from '../../src/core/protocol.ts'
import { isBelow, type RelativePath } from '../../src/core/relative-path.ts'
import type { Identity, PeerRecord, Store, Transaction } from '../../src/engine/ports.ts'
import { SortedMap } from './sorted-map.ts'

interface Tables {
  readonly records: SortedMap<RelativePath, IndexRecord>
  /** Whose each sequence is. */
  readonly owners: Map<Sequence, RelativePath>
  /** By path, then by peer. */
  readonly remote: SortedMap<RelativePath, ReadonlyMap<PeerId, RemoteRecord>>
  readonly peers: SortedMap<PeerId, PeerRecord>
  readonly holds: SortedMap<string, Hold>
  readonly releasedHolds: SortedMap<string, true>
  readonly heldDeletes: SortedMap<RelativePath, true>
  readonly identity: Identity
  readonly lastCounter: number
  readonly lastSequence: Sequence
}

/** The store of the simulation: what SqliteStore does, in memory. `clone` is what a copied, restored or crashed host has. */
export class MemoryStore implements Store {
  #tables: Tables
  /** A clone looks at the same tables: they are copied before the next change. */
  #isShared = false

  constructor({ peerId }: { readonly peerId: PeerId }) {
    this.#tables = emptyTables(peerId)
  }

  /** The same index, independent from now on. Costs nothing until either changes. */
  clone(): MemoryStore {
    const clone = new MemoryStore({ peerId: this.#tables.identity.peerId })
    clone.#tables = this.#tables
    clone.#isShared = true
    this.#isShared = true
    return clone
  }

  identity(): Identity {
    return this.#tables.identity
  }

  lastCounter(): number {
    return this.#tables.lastCounter
  }

  lastSequence(): Sequence {
    return this.#tables.lastSequence
  }

  get(path: RelativePath): IndexRecord | null {
    return this.#tables.records.get(path) ?? null
  }

  children(directory: RelativePath | null): readonly IndexRecord[] {
    const prefix = directory === null ? '' : `${directory}/`
    const children: IndexRecord[] = []
    const { records } = this.#tables
    for (let at = records.firstFrom(prefix); at?.startsWith(prefix) === true;) {
      const slash = at.indexOf('/', prefix.length)
      const record = records.get(at)
      if (slash < 0 && record !== undefined && isLive(record.entry)) children.push(record)
      // What lies deeper is skipped in one step: `0` follows `/`.
      at = records.firstFrom(slash < 0 ? `${at}\u0000` : `${at.slice(0, slash)}0`)
    }
    return children
  }

  hasLiveBelow(directory: RelativePath): boolean {
    const { records } = this.#tables
    for (const record of records.valuesFrom(`${directory}/`)) {
      if (!isBelow(record.entry.path, directory)) return false
      if (isLive(record.entry)) return true
    }
    return false
  }

  *all(): Iterable<IndexRecord> {
    for (const path of this.#tables.records.keys()) {
      const record = this.#tables.records.get(path)
      if (record !== undefined) yield record
    }
  }

  changesAfter(sequence: Sequence, limit: number): readonly IndexRecord[] {
    return [...this.#tables.records.values()]
      .filter((record) => record.sequence > Math.max(sequence, 0))
      .toSorted((a, b) => a.sequence - b.sequence)
      .slice(0, limit)
  }

  findByDigest(digest: Digest, limit: number): readonly RelativePath[] {
    return [...this.#tables.records.values()]
      .filter(({ entry }) => entry.kind === 'file' && entry.digest === digest)
      .map(({ entry }) => entry.path)
      .slice(0, limit)
  }

  remote(path: RelativePath): readonly RemoteRecord[] {
    return [...(this.#tables.remote.get(path)?.values() ?? [])].toSorted((a, b) =>
      a.peer < b.peer ? -1 : 1,
    )
  }

  remoteOf(peer: PeerId, path: RelativePath): RemoteRecord | null {
    return this.#tables.remote.get(path)?.get(peer) ?? null
  }

  *unequalRemote(): Iterable<RemoteRecord> {
    for (const path of this.#tables.remote.keys()) {
      for (const record of this.remote(path)) if (this.#isUnequal(record)) yield record
    }
  }

  unequalRemoteOf(peer: PeerId): Iterable<RemoteRecord> {
    return [...this.#tables.remote.values()]
      .flatMap((byPeer) => byPeer.get(peer) ?? [])
      .filter((record) => this.#isUnequal(record))
      .toSorted((a, b) => a.sequence - b.sequence)
  }

  peers(): readonly PeerRecord[] {
    return [...this.#tables.peers.values()]
  }

  peer(peerId: PeerId): PeerRecord | null {
    return this.#tables.peers.get(peerId) ?? null
  }

  holds(): readonly Hold[] {
    return [...this.#tables.holds.values()]
  }

  releasedHolds(): readonly string[] {
    return [...this.#tables.releasedHolds.keys()]
  }

  recordHolds(holds: readonly Hold[]): void {
    for (const hold of holds) this.#ownTables().holds.set(hold.id, hold)
  }

  heldDeletes(): readonly RelativePath[] {
    return [...this.#tables.heldDeletes.keys()]
  }

  commit(transaction: Transaction): void {
    const { records = [], forgotten = [], remote = [], recorded = [] } = transaction
    // Before anything is changed: from here on nothing can fail.
    assertOwnSequences(this.#tables, transaction)
    const tables = this.#ownTables()
    for (const path of forgotten) forget(tables, path)
    for (const record of records) {
      forget(tables, record.entry.path)
      tables.records.set(record.entry.path, record)
      if (record.sequence > 0) tables.owners.set(record.sequence, record.entry.path)
    }
    if (transaction.isRemoteForgotten === true)
      for (const path of tables.remote.keys()) tables.remote.delete(path)
    for (const record of remote) {
      const { path } = record.entry
      tables.remote.set(path, new Map(tables.remote.get(path)).set(record.peer, record))
    }
    for (const record of recorded) tables.peers.set(record.peerId, record)
    for (const id of transaction.unlinkedHolds ?? []) tables.releasedHolds.delete(id)
    for (const id of transaction.releasedHolds ?? []) {
      tables.holds.delete(id)
      tables.releasedHolds.set(id, true)
    }
    for (const path of transaction.heldDeletes?.removed ?? []) tables.heldDeletes.delete(path)
    for (const path of transaction.heldDeletes?.added ?? []) tables.heldDeletes.set(path, true)
    this.#tables = {
      ...tables,
      identity:
        transaction.identity === undefined
          ? tables.identity
          : withoutOldEpochs(transaction.identity),
      lastCounter: Math.max(tables.lastCounter, transaction.lastCounter ?? 0),
      lastSequence: records.reduce(
        (top, { sequence }) => Math.max(top, sequence),
        tables.lastSequence,
      ),
    }
  }

  close(): void {}

  #isUnequal({ entry }: RemoteRecord): boolean {
    const ours = this.#tables.records.get(entry.path)?.entry
    return ours === undefined || !sameEntry(ours, entry)
  }

  #ownTables(): Tables {
    if (this.#isShared) this.#tables = copyOf(this.#tables)
    this.#isShared = false
    return this.#tables
  }
}

function emptyTables(peerId: PeerId): Tables {
  return {
    records: new SortedMap(),
    owners: new Map(),
    remote: new SortedMap(),
    peers: new SortedMap(),
    holds: new SortedMap(),
    releasedHolds: new SortedMap(),
    heldDeletes: new SortedMap(),
    identity: {
      peerId,
      epochs: [],
      isJoined: false,
      volumeMark: null,
      bootId: null,
      isClean: true,
    },
    lastCounter: 0,
    lastSequence: 0,
  }
}

function copyOf(tables: Tables): Tables {
  return {
    ...tables,
    records: tables.records.copy(),
    owners: new Map(tables.owners),
    remote: tables.remote.copy(),
    peers: tables.peers.copy(),
    holds: tables.holds.copy(),
    releasedHolds: tables.releasedHolds.copy(),
    heldDeletes: tables.heldDeletes.copy(),
  }
}

function withoutOldEpochs(identity: Identity): Identity {
  return { ...identity, epochs: identity.epochs.slice(-1000) }
}

function forget({ records, owners }: Tables, path: RelativePath): void {
  const sequence = records.get(path)?.sequence ?? 0
  if (owners.get(sequence) === path) owners.delete(sequence)
  records.delete(path)
}

/** A sequence belongs to one path at any moment: giving it to a second is a bug of the engine. */
function assertOwnSequences({ records, owners }: Tables, transaction: Transaction): void {
  const moved = new Map<RelativePath, Sequence>()
  const taken = new Map<Sequence, RelativePath | null>()
  const take = (path: RelativePath, sequence: Sequence) => {
    taken.set(moved.get(path) ?? records.get(path)?.sequence ?? 0, null)
    moved.set(path, sequence)
    const owner = taken.has(sequence) ? taken.get(sequence) : owners.get(sequence)
    if (sequence > 0 && (owner ?? path) !== path)
      throw new Error(`sequence ${sequence} is given to a second path`)
    taken.set(sequence, path)
  }
  for (const path of transaction.forgotten ?? []) take(path, 0)
  for (const { entry, sequence } of transaction.records ?? []) take(entry.path, sequence)
}
