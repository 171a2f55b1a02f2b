import type { Loser } from '../../core/conflict.ts'
import type { Digest } from '../../core/digest.ts'
import { isLive, sameContent, type Entry } from '../../core/entry.ts'
import { SyndError } from '../../core/errors.ts'
import { ignoreFilePath } from '../../core/ignore.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import { orderForApply } from '../../core/plan.ts'
import { applyProblems, type ProblemCode } from '../../core/problem.ts'
import type { SyncMode } from '../../core/protocol.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import { BatchHolds } from './batch-holds.ts'
import type { Copies } from './copies.ts'
import type { Contention } from './contention.ts'
import type { Decider } from './decider.ts'
import type { Intent } from './verdict.ts'
import type { Damage } from '../damage.ts'
import type { DirectoryTimes } from './directory-times.ts'
import { DiskStep } from './disk-step.ts'
import type { DirtyPaths } from '../publish/dirty-paths.ts'
import type { HeldDeletes } from '../publish/held-deletes.ts'
import type { Inbox } from './inbox.ts'
import type { Leftovers } from '../leftovers.ts'
import { Moves } from './moves.ts'
import type { LocalChanges } from '../local-changes.ts'
import { Mounts } from '../mounts.ts'
import { Overlay } from './overlay.ts'
import type { OwnWork } from './own-work.ts'
import type { Quarantine } from './quarantine.ts'
import type { Applied, Clock, ExpectedFile, Observer, Stage, Store, Volume } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'
import type { Serial } from '../serial.ts'
import { Slices } from '../slices.ts'
import type { Unrecorded } from '../unrecorded.ts'

/** A path whose bytes, if it needs any, are staged, or are at `source`, which is to go. */
export interface Ready {
  readonly intent: Intent
  readonly stage: Stage | null
  readonly source: RelativePath | null
}

/** One batch in the works. */
interface Work {
  readonly overlay: Overlay
  readonly holds: BatchHolds
  readonly mounts: Mounts
  readonly finished: RelativePath[]
}

/** Changes are synchronous; nothing else runs for longer than this. */
const sliceMs = 10

/** The disk was not as the index says: the next look is on its way. */
const lookFirstMs = 100

export interface ApplierParts {
  readonly store: Store
  readonly volume: Volume
  readonly clock: Clock
  readonly observer: Observer
  readonly serial: Serial
  readonly unrecorded: Unrecorded
  readonly decider: Decider
  readonly copies: Copies
  readonly mode: SyncMode
  readonly localChanges: LocalChanges
  readonly quarantine: Quarantine
  readonly contention: Contention
  readonly inbox: Inbox
  readonly dirty: DirtyPaths
  readonly ownWork: OwnWork
  readonly times: DirectoryTimes
  readonly heldDeletes: HeldDeletes
  readonly damage: Damage
  readonly problems: ProblemList
  readonly leftovers: Leftovers
  /** For which path a file with that content is about to be copied from here; null: for none. */
  readonly wanterOf: (digest: Digest) => RelativePath | null
  /** A peer's `.syndignore` is on the disk, and about to be recorded; then, that it is recorded. */
  readonly onIgnoreFile: {
    readonly before: () => void
    readonly after: () => Promise<unknown>
  }
  /** Tells the announcers that the path failed. */
  readonly onFailed: (path: RelativePath, code: ProblemCode) => void
}

/**
 * Puts decided entries on the disk and into the index, a batch at a time in the serial loop. Everything is decided once more on what index and
 * announcements say now; the disk is changed only where it is as the index says (rule 22).
 */
export class Applier {
  readonly #parts: ApplierParts
  readonly #step: DiskStep
  readonly #moves: Moves

  constructor(parts: ApplierParts) {
    this.#parts = parts
    this.#step = new DiskStep(parts)
    this.#moves = new Moves(parts)
  }

  /** Whether the file at `from`, which is here, can get the name that is wanted instead of being copied. */
  isMovable(from: RelativePath, wanted: Intent): boolean {
    return this.#moves.isPossible(from, wanted, new Overlay({ store: this.#parts.store }))
  }

  async apply(batch: readonly Ready[]): Promise<void> {
    await this.#parts.serial.run(async () => {
      if (this.#parts.volume.halt() !== null) return this.#putBack(batch)
      try {
        await this.#applyAll(batch)
      } catch (error) {
        if (!(error instanceof SyndError)) throw error
        // A volume that is lost halts the peer (rule 20): that is no problem of the paths.
        if (this.#parts.volume.halt() !== null) return this.#putBack(batch)
        const code = error.code === 'no-space' ? 'disk-full' : 'apply-failed'
        for (const { intent, stage } of batch) {
          await stage?.discard()
          this.#fail(intent.path, { code, message: error.message })
        }
      }
    })
    // Not before the commit: what is to be looked at is compared with it.
    this.#parts.dirty.wake.call()
  }

  /** Resolves when nothing of what was applied is left to be done. */
  drained(): Promise<void> {
    return this.#parts.unrecorded.released()
  }

  /** The path for which what is here is about to be copied: it must not go first (rule 15); null: there is none. */
  wanterOf({ entry }: Intent, record: IndexRecord | null): RelativePath | null {
    if (record?.entry.kind !== 'file' || sameContent(record.entry, entry)) return null
    return this.#parts.wanterOf(record.entry.digest)
  }

  async #applyAll(batch: readonly Ready[]): Promise<void> {
    await this.#parts.unrecorded.settle()
    const overlay = new Overlay({ store: this.#parts.store })
    const ordered = orderForApply(batch.map((ready) => ({ ...ready, entry: ready.intent.entry })))
    await this.#makeCopies(ordered, overlay)
    const holds = new BatchHolds(this.#parts)
    holds.prepare(this.#takenBy(ordered, overlay))
    const work: Work = { overlay, holds, mounts: new Mounts(this.#parts), finished: [] }
    await this.#parts.volume.syncStages(batch.flatMap(({ stage }) => stage ?? []))
    const slices = new Slices(this.#parts.clock, sliceMs)
    for (const ready of ordered) {
      await this.#applyOne(ready, work)
      await slices.breathe()
    }
    await this.#commit(overlay, await holds.settle(overlay))
    // Only now: whoever decides such a path again finds it committed.
    for (const path of work.finished) this.#parts.inbox.done(path)
  }

  /** What is likely to be replaced or removed. */
  #takenBy(batch: readonly Ready[], overlay: Overlay): ExpectedFile[] {
    return batch.flatMap(({ intent, stage, source }) => {
      const { path, entry } = intent
      if (source !== null) {
        const moved = this.#moves.wantedFrom(source, intent, overlay)
        return moved === null ? [] : { path: source, expected: moved.observation }
      }
      const record = overlay.get(path)
      if (!this.#step.hasBytes(record) || record.observation.kind === 'directory') return []
      const isTaken = entry.kind === 'tombstone' || stage !== null
      return isTaken ? { path, expected: record.observation } : []
    })
  }

  async #putBack(batch: readonly Ready[]): Promise<void> {
    for (const { intent, stage } of batch) {
      await stage?.discard()
      this.#parts.inbox.retry(intent.path)
    }
  }

  /** Rule 4: the copies are durable before the winners are taken. */
  async #makeCopies(batch: readonly Ready[], overlay: Overlay): Promise<void> {
    const { copies, contention, clock, quarantine } = this.#parts
    const aside: Loser[] = []
    for (const { intent } of batch) {
      const { loser, path } = intent
      if (loser === null || !this.#step.hasBytes(this.#shownAt(path, overlay))) continue
      if (quarantine.isFor(loser)) {
        aside.push(loser)
        continue
      }
      if (!(await copies.ofLocal(loser, overlay))) continue
      quarantine.copied(loser)
      contention.note(path, clock.monotonicMs())
    }
    await this.#commit(overlay, [])
    await quarantine.put(aside)
  }

  async #commit(overlay: Overlay, holds: readonly string[]): Promise<void> {
    const { volume, unrecorded, onIgnoreFile } = this.#parts
    const puts = overlay.take()
    if (puts.length === 0 && holds.length === 0) return
    const isIgnoreFile = puts.some(({ entry }) => entry.path === ignoreFilePath)
    if (isIgnoreFile && volume.halt() === null) onIgnoreFile.before()
    await unrecorded.record({ puts, holds })
    if (isIgnoreFile) await onIgnoreFile.after()
  }

  async #applyOne({ intent, stage, source }: Ready, work: Work): Promise<void> {
    const { path } = intent
    const { overlay } = work
    const { decider, inbox, copies, quarantine } = this.#parts
    const record = this.#shownAt(path, overlay)
    const verdict = decider.decide(path, overlay)
    if (verdict.kind !== 'intent') {
      await stage?.discard()
      if (verdict.kind === 'park') inbox.park(path, verdict.on)
      else work.finished.push(path)
      return
    }
    const now = verdict.intent
    const lacksCopy =
      now.loser !== null &&
      this.#step.hasBytes(record) &&
      !quarantine.has(now.loser) &&
      !copies.has(now.loser, overlay)
    const wanter = this.wanterOf(now, record)
    if (lacksCopy || wanter !== null || !fits(now, intent)) {
      await stage?.discard()
      if (wanter === null) inbox.postpone(path, lacksCopy ? lookFirstMs : 0)
      else inbox.park(path, wanter)
      return
    }
    if (now.needsBytes && source !== null) return this.#move(source, now, work)
    const isSpared = this.#parts.localChanges.isSparedBy(now.entry, overlay.get(path))
    const applied = isSpared
      ? untouched
      : await this.#step.take(now, {
          stage: now.needsBytes ? stage : null,
          record,
          mounts: work.mounts,
        })
    if (!now.needsBytes) await stage?.discard()
    if (applied.kind === 'changed') {
      this.#lookFirst(path)
    } else if (applied.kind === 'failed') {
      this.#fail(path, applied)
    } else if (applied.kind === 'not-empty') {
      this.#keepLeftover(now.entry, work)
    } else {
      if (!isSpared) this.#parts.localChanges.forget(path)
      await this.#applied(now, { applied, record, work })
    }
  }

  /** Where it cannot be renamed it is copied at the next try. */
  async #move(source: RelativePath, wanted: Intent, work: Work): Promise<void> {
    const renamed = await this.#moves.rename(source, wanted, work)
    if (renamed === null) {
      this.#parts.dirty.add(source, this.#parts.clock.monotonicMs())
      return this.#lookFirst(wanted.path)
    }
    const { left } = renamed
    const record = work.overlay.get(wanted.path)
    await this.#applied(wanted, { applied: renamed.wanted, record, work })
    if (left !== null) await this.#applied(left.intent, { ...left, work })
  }

  /** The record of what the disk has under the name. */
  #shownAt(path: RelativePath, overlay: Overlay): IndexRecord | null {
    return this.#parts.localChanges.shownAt(path, overlay.get(path))
  }

  /** The disk is not as the index says. What is in the way for good is listed: nobody will record it. */
  #lookFirst(path: RelativePath): void {
    const { dirty, clock, inbox, leftovers } = this.#parts
    if (leftovers.isInTheWay(path)) {
      const message = 'something that is not synced has this name here: move it away'
      return this.#fail(path, { code: 'apply-failed', message })
    }
    dirty.add(path, clock.monotonicMs())
    inbox.postpone(path, lookFirstMs)
  }

  async #applied(
    { path, entry, isVersionReuse }: Intent,
    done: {
      applied: Extract<Applied, { kind: 'applied' }>
      record: IndexRecord | null
      work: Work
    },
  ): Promise<void> {
    const { applied, record, work } = done
    const { overlay, holds } = work
    const { observation, hold, displaced } = applied
    const { ownWork, clock, problems, times, observer } = this.#parts
    if (isVersionReuse) observer.rejected('reconcile', 'version-reuse')
    if (hold !== null) holds.add({ id: hold, path, record, isDisplaced: displaced })
    if (observation !== null) ownWork.note(path, observation, clock.monotonicMs())
    overlay.put({ entry, observation, isAnnounced: true, seenMs: null })
    this.#parts.damage.repaired(path)
    this.#parts.quarantine.done(path)
    if (entry.kind === 'directory' && !isLive(record?.entry)) times.made(entry)
    times.applied(entry)
    problems.clearAll(applyProblems, path)
    if (isLive(entry)) problems.clear('leftover', path)
    work.finished.push(path)
  }

  /** Rule 14: a directory with only unsyncable things inside stays, counts as absent and is listed. */
  #keepLeftover(entry: Entry, { overlay, finished }: Work): void {
    const { leftovers, inbox, clock, dirty, localChanges } = this.#parts
    const { path } = entry
    const isLocal = (child: RelativePath): boolean =>
      localChanges.has(child) && !isLive(overlay.get(child)?.entry)
    const inside = leftovers.syncableIn(path, overlay)
    const syncable = inside.filter((child) => !isLocal(child))
    for (const child of syncable) dirty.add(child, clock.monotonicMs(), { isTree: true })
    if (syncable.length > 0) return inbox.park(path, path)
    if (entry.kind !== 'tombstone') {
      const message = `a ${entry.kind} of this name is to be here, but the directory that has it holds things that are not synced: move them away`
      return this.#fail(path, { code: 'apply-failed', message })
    }
    // What was made here keeps the directory, which is then made here too (rule M6).
    if (inside.length > 0) dirty.add(path, clock.monotonicMs())
    else leftovers.list(path)
    overlay.put({ entry, observation: null, isAnnounced: true, seenMs: null })
    finished.push(path)
  }

  #fail(path: RelativePath, { code, message }: { code: ProblemCode; message: string }): void {
    const { problems, clock, inbox, onFailed } = this.#parts
    problems.set({ code, path, message }, clock.nowMs())
    onFailed(path, code)
    inbox.retry(path)
  }
}

/** Nothing was done on the disk. */
const untouched: Applied = { kind: 'applied', observation: null, hold: null, displaced: false }

/** What is staged is still what is wanted. */
function fits(now: Intent, then: Intent): boolean {
  return !now.needsBytes || (then.needsBytes && sameContent(now.entry, then.entry))
}
