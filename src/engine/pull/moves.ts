import { isLive, sameContent, sameMetadata } from '../../core/entry.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import { sameObservation, type Observation } from '../../core/observation.ts'
import type { SyncMode } from '../../core/protocol.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Damage } from '../damage.ts'
import type { LocalChanges } from '../local-changes.ts'
import type { Mounts } from '../mounts.ts'
import type { Applied, Volume } from '../ports.ts'
import type { HeldDeletes } from '../publish/held-deletes.ts'
import type { Decider } from './decider.ts'
import type { Overlay } from './overlay.ts'
import type { Intent } from './verdict.ts'

/** More than these are tried once more. */
const maxRefused = 10_000

type Done = Extract<Applied, { kind: 'applied' }>

type SeenRecord = IndexRecord & { readonly observation: Observation }

/** What a rename did: to the wanted name, and to the one that went; null: that was another file by then, and stays. */
export interface Renamed {
  readonly wanted: Done
  readonly left: {
    readonly intent: Intent
    readonly record: IndexRecord
    readonly applied: Done
  } | null
}

/**
 * What was renamed on the other side is renamed here (rule 15): a file that is to go, and whose content is wanted under a name that nothing has.
 * Not a byte is copied, however large it is.
 */
export class Moves {
  readonly #decider: Pick<Decider, 'decide'>
  readonly #heldDeletes: Pick<HeldDeletes, 'has'>
  readonly #damage: Pick<Damage, 'has'>
  readonly #localChanges: Pick<LocalChanges, 'has'>
  readonly #mode: SyncMode
  readonly #volume: Pick<Volume, 'apply'>
  /** Could not be renamed as it was seen then: to be copied. */
  readonly #refused = new Map<RelativePath, Observation>()

  constructor(parts: {
    decider: Pick<Decider, 'decide'>
    heldDeletes: Pick<HeldDeletes, 'has'>
    damage: Pick<Damage, 'has'>
    localChanges: Pick<LocalChanges, 'has'>
    mode: SyncMode
    volume: Pick<Volume, 'apply'>
  }) {
    this.#decider = parts.decider
    this.#heldDeletes = parts.heldDeletes
    this.#damage = parts.damage
    this.#localChanges = parts.localChanges
    this.#mode = parts.mode
    this.#volume = parts.volume
  }

  /** Whether the file at `from` may be renamed instead of copied. */
  isPossible(from: RelativePath, wanted: Intent, overlay: Overlay): boolean {
    const refused = this.#refused.get(from)
    const seen = overlay.get(from)?.observation ?? null
    if (refused !== undefined && seen !== null && sameObservation(refused, seen)) return false
    this.#refused.delete(from)
    return this.#leaving(from, wanted, overlay) !== null
  }

  /** Null: it is not to go any more, is not as the index says, or no file can be renamed there. */
  async rename(
    from: RelativePath,
    wanted: Intent,
    { overlay, mounts }: { readonly overlay: Overlay; readonly mounts: Mounts },
  ): Promise<Renamed | null> {
    const leaving = this.#leaving(from, wanted, overlay)
    if (leaving === null || wanted.entry.kind !== 'file') return null
    const { intent, record } = leaving
    const expected = record.observation
    const isMounted = mounts.over(from) !== null || mounts.over(wanted.path) !== null
    if (isMounted) return this.#refuse(from, expected)
    const change = { kind: 'move', entry: wanted.entry, from: { path: from, expected } } as const
    const applied = await this.#volume.apply(change)
    if (applied.kind !== 'applied') return this.#refuse(from, expected)
    const left = { intent, record, applied: { ...applied, observation: null } }
    return {
      wanted: { ...applied, hold: null, displaced: false },
      left: applied.hold === null ? null : left,
    }
  }

  /** The record of a file at `from` that is what is wanted; null: it is not. */
  wantedFrom(from: RelativePath, wanted: Intent, overlay: Overlay): SeenRecord | null {
    const record = overlay.get(from)
    if (record === null || record.observation === null || !this.#isAsRecorded(from)) return null
    const isWanted =
      record.entry.kind === 'file' &&
      sameContent(record.entry, wanted.entry) &&
      sameMetadata(record.entry, wanted.entry)
    return isWanted ? { ...record, observation: record.observation } : null
  }

  /** The file at `from`, and what is to be done about its name once it has got the one that `wanted` is about; null: it cannot have that. */
  #leaving(
    from: RelativePath,
    wanted: Intent,
    overlay: Overlay,
  ): { readonly intent: Intent; readonly record: SeenRecord } | null {
    if (this.#mode !== 'send-receive' || !this.#isFree(wanted, overlay)) return null
    // Most of what is copied stays.
    if (!overlay.remote(from).some(({ entry }) => entry.kind === 'tombstone')) return null
    const record = this.wantedFrom(from, wanted, overlay)
    if (record === null) return null
    const verdict = this.#decider.decide(from, overlay)
    if (verdict.kind !== 'intent') return null
    const { intent } = verdict
    return intent.entry.kind === 'tombstone' && intent.loser === null ? { intent, record } : null
  }

  #refuse(from: RelativePath, seen: Observation): null {
    if (this.#refused.size >= maxRefused) this.#refused.clear()
    this.#refused.set(from, seen)
    return null
  }

  #isFree({ path, loser, isLost }: Intent, overlay: Overlay): boolean {
    const isTaken = isLive(overlay.get(path)?.entry)
    return !isTaken && loser === null && !isLost && this.#isAsRecorded(path)
  }

  #isAsRecorded(path: RelativePath): boolean {
    return !this.#heldDeletes.has(path) && !this.#damage.has(path) && !this.#localChanges.has(path)
  }
}
