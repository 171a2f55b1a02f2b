import { isLive } from '../../src/core/entry.ts'
import type { IndexRecord } from '../../src/core/index-record.ts'
import { ancestorsOf, type RelativePath } from '../../src/core/relative-path.ts'
import type { Store, Transaction } from '../../src/engine/ports.ts'
import type { Hands } from '../support/hands.ts'
import { contentsBelow, digestOf } from './contents.ts'
import { kindOf } from './deed-paths.ts'

/** SYND_DELETE_BRAKE as shipped. */
export const brakeShare = 0.5

/** Fewer silent losses are never held. */
const heldAbove = 100

/** A volume with more files is not emptied without asking. */
const emptiedAbove = 10

/**
 * Rule 19 seen from outside: what one peer stamps as deleted, compared with what went from its disk and with what a person approved. Knows nothing of
 * how the engine decides.
 */
export class Brake {
  readonly #onDeleted: (digests: ReadonlySet<string>) => void
  /** Went while no process was there to be told. */
  readonly #silent = new Set<string>()
  /** What was in files that went by accident. */
  readonly #vanished = new Set<string>()
  #approvals = 0
  #fault: string | null = null

  /** `onDeleted`: files with these digests went by accident, and the peer may tell the others that they are deleted. */
  constructor(parts: { onDeleted: (digests: ReadonlySet<string>) => void }) {
    this.#onDeleted = parts.onDeleted
  }

  /** In words what was deleted without asking; null: nothing was. */
  get fault(): string | null {
    return this.#fault
  }

  /** All at these paths goes; `contents` is what is in the files there. */
  vanish(paths: Iterable<string>, contents: Iterable<string>, isSilent: boolean): void {
    for (const content of contents) this.#vanished.add(digestOf(content))
    for (const path of paths) {
      if (isSilent) this.#silent.add(path)
      else this.#silent.delete(path)
    }
  }

  /** While `approval` goes on what is held may be deleted. */
  async approve<Result>(approval: () => Promise<Result>): Promise<Result> {
    this.#approvals++
    try {
      return await approval()
    } finally {
      this.#approvals--
    }
  }

  /** To be called ahead of every commit of the peer. */
  look({ records = [] }: Transaction, store: Store, hands: Hands): void {
    const deleted = records.filter((record) => isOwnDelete(record, store))
    if (deleted.length === 0) return
    if (this.#approvals === 0) this.#fault ??= this.#faultOf(deleted, records, { store, hands })
    const digests = deleted.flatMap(({ entry }) =>
      entry.kind === 'tombstone' ? (entry.removedDigest ?? []) : [],
    )
    this.#onDeleted(new Set(digests.filter((digest) => this.#vanished.has(digest))))
  }

  #faultOf(
    deleted: readonly IndexRecord[],
    records: readonly IndexRecord[],
    { store, hands }: { store: Store; hands: Hands },
  ): string | null {
    const held = new Set<RelativePath>(store.heldDeletes())
    const early = deleted.find(({ entry }) => held.has(entry.path))
    if (early !== undefined) return `${early.entry.path} was held back and is deleted unasked`
    const before = [...store.all()].map(({ entry }) => entry).filter(isLive)
    const silent = deleted.filter(({ entry }) => this.#isSilent(entry.path, hands)).length
    if (silent > heldAbove && silent > brakeShare * before.length)
      return `${silent} of ${before.length} entries went without an event and are deleted unasked`
    const files = new Set(before.filter(({ kind }) => kind === 'file').map(({ path }) => path))
    const known = files.size
    for (const { entry } of records) {
      if (entry.kind === 'file') files.add(entry.path)
      else files.delete(entry.path)
    }
    const isEmptied = files.size === 0 && contentsBelow(hands, '').length === 0
    return known > emptiedAbove && isEmptied
      ? `the last of ${known} files are deleted unasked`
      : null
  }

  /** What something else has the place of did not only disappear: somebody put that there. */
  #isSilent(path: RelativePath, hands: Hands): boolean {
    if (!this.#silent.has(path)) return false
    return kindOf(hands, path) === null && !ancestorsOf(path).some((at) => isNoDirectory(hands, at))
  }
}

function isNoDirectory(hands: Hands, path: RelativePath): boolean {
  const kind = kindOf(hands, path)
  return kind !== null && kind !== 'd'
}

function isOwnDelete({ entry }: IndexRecord, store: Store): boolean {
  const isOwn = entry.contentDot.peer === store.identity().peerId
  return entry.kind === 'tombstone' && isOwn && isLive(store.get(entry.path)?.entry)
}
