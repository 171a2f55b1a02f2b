import { isLive, type LiveEntry } from '../../core/entry.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import type { Observation } from '../../core/observation.ts'
import type { Damage } from '../damage.ts'
import type { Leftovers } from '../leftovers.ts'
import { mountedMessage, type Mounts } from '../mounts.ts'
import type { Applied, Clock, Stage, Volume } from '../ports.ts'
import type { DirtyPaths } from '../publish/dirty-paths.ts'
import type { HeldDeletes } from '../publish/held-deletes.ts'
import { changeFor } from './change.ts'
import type { Intent } from './verdict.ts'

/** Makes the disk hold what was decided, one path at a time. */
export class DiskStep {
  readonly #volume: Volume
  readonly #damage: Damage
  readonly #heldDeletes: HeldDeletes
  readonly #leftovers: Leftovers
  readonly #dirty: DirtyPaths
  readonly #clock: Clock

  constructor(parts: {
    volume: Volume
    damage: Damage
    heldDeletes: HeldDeletes
    leftovers: Leftovers
    dirty: DirtyPaths
    clock: Clock
  }) {
    this.#volume = parts.volume
    this.#damage = parts.damage
    this.#heldDeletes = parts.heldDeletes
    this.#leftovers = parts.leftovers
    this.#dirty = parts.dirty
    this.#clock = parts.clock
  }

  /** True when the file is on the disk under its name: not removed and held back, not missing, not damaged. */
  hasBytes(record: IndexRecord | null): record is IndexRecord & { observation: Observation } {
    return (
      record !== null &&
      record.observation !== null &&
      !this.#heldDeletes.has(record.entry.path) &&
      !this.#damage.has(record.entry.path)
    )
  }

  /** One step on the disk, or none where the disk has it already. */
  async take(
    { entry, needsBytes, isLost }: Intent,
    { stage, record, mounts }: { stage: Stage | null; record: IndexRecord | null; mounts: Mounts },
  ): Promise<Applied> {
    const { path } = entry
    const expected = this.hasBytes(record) ? record.observation : this.#damage.seenAt(path)
    const isGone = this.#damage.has(path) || (isLost && this.#heldDeletes.has(path))
    const known = isGone ? null : record
    const change = changeFor(entry, { needsBytes, stage, record: known, expected })
    if (change === null) {
      const observation = isLive(entry) ? (record?.observation ?? null) : null
      return { kind: 'applied', observation, hold: null, displaced: false }
    }
    let applied = mounts.over(path) === null ? await this.#volume.apply(change) : mounted
    if (applied.kind === 'changed' && change.kind === 'make' && expected === null)
      applied = await this.#adopt(change.entry)
    if (applied.kind !== 'applied') await stage?.discard()
    return applied
  }

  /** A directory that is there already, though the index did not have it, is the one that is wanted. */
  async #adopt(entry: LiveEntry): Promise<Applied> {
    const there = entry.kind === 'directory' ? this.#leftovers.directoryAt(entry.path) : null
    if (there === null) return { kind: 'changed' }
    // Nobody may have looked into it yet.
    this.#dirty.add(entry.path, this.#clock.monotonicMs(), { isTree: true })
    return this.#volume.apply({ kind: 'set-metadata', entry, expected: there })
  }
}

const mounted: Applied = { kind: 'failed', code: 'apply-failed', message: mountedMessage }
