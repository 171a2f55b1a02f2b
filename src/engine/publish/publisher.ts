import { isLive } from '../../core/entry.ts'
import { SyndError } from '../../core/errors.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import { orderForAnnouncement } from '../../core/plan.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Damage } from '../damage.ts'
import type { DirtyPaths } from './dirty-paths.ts'
import { unreadableMs, type Findings, type HashedDifference } from './findings.ts'
import { Gains, type Step } from './gains.ts'
import type { HeldDeletes } from './held-deletes.ts'
import type { HeldFiles } from '../pull/held-files.ts'
import type { Ignoring } from './ignoring.ts'
import { Listing } from './listing.ts'
import type { Inbox } from '../pull/inbox.ts'
import type { Leftovers } from '../leftovers.ts'
import type { Ledger, Put } from '../ledger.ts'
import type { LocalChanges } from '../local-changes.ts'
import type { SyncMode } from '../../core/protocol.ts'
import { demandVolume } from '../demand-volume.ts'
import { Losses } from './losses.ts'
import { Repairs } from './repairs.ts'
import type { Clock, Observer, Store, Transaction, Volume } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'
import type { Scan, Scanned, Scope } from './scan.ts'
import type { Serial } from '../serial.ts'
import type { Stamping } from './stamping.ts'
import type { Unrecorded } from '../unrecorded.ts'
import { vanishedMs, Vanishing, type Confirmed } from './vanishing.ts'
import { Wake } from '../wake.ts'

/** A volume that halted, or an index that could not be written, is tried again this often. */
const haltedMs = 1_000

/** Committed together: the first can be announced, and the event loop turns, before the last of very many is. */
const commitAtOnce = 1_000

/** What a round saw, before the index was asked. */
interface Seen {
  readonly hashed: readonly HashedDifference[]
  readonly confirmed: Confirmed
}

export interface PublisherParts {
  readonly store: Store
  readonly volume: Volume
  readonly clock: Clock
  readonly observer: Observer
  readonly serial: Serial
  readonly ledger: Ledger
  readonly unrecorded: Unrecorded
  readonly dirty: DirtyPaths
  readonly problems: ProblemList
  readonly findings: Findings
  readonly stamping: Stamping
  readonly heldDeletes: HeldDeletes
  readonly damage: Damage
  readonly inbox: Inbox
  readonly ignoring: Ignoring
  readonly leftovers: Leftovers
  readonly heldFiles: Pick<HeldFiles, 'tryAgain'>
  readonly localChanges: LocalChanges
  readonly mode: SyncMode
  readonly newScan: () => Scan
  /** Resolves when local changes may be stamped (rule 1: after the first Hello, or 10 s). */
  readonly mayStamp: () => Promise<void>
  readonly onRoundDone: () => void
  /** After each full scan. */
  readonly onScanned: () => void
}

/**
 * From dirty paths to announced versions, in rounds: look, hash, and in the serial loop compare with the index once more and commit.
 */
export class Publisher {
  readonly #parts: PublisherParts
  readonly #vanishing = new Vanishing()
  readonly #losses: Losses
  readonly #gains: Gains
  readonly #listing: Listing
  readonly #firstScan = new Wake()
  #isInRound = false
  #isFirstScanDone = false
  #isFirstScanCommitted = false
  #failure: string | null = null
  #ignored = 0

  constructor(parts: PublisherParts) {
    this.#parts = parts
    const repairs = new Repairs(parts)
    const isIgnored = parts.ignoring.isIgnored.bind(parts.ignoring)
    const shared = { ...parts, vanishing: this.#vanishing, repairs, isIgnored }
    this.#losses = new Losses(shared)
    this.#gains = new Gains({ ...shared, losses: this.#losses })
    this.#listing = new Listing(shared)
  }

  /** Something may differ from the index, or is being looked at. */
  get isBusy(): boolean {
    return this.#isInRound || this.#parts.dirty.size > 0 || this.#vanishing.size > 0
  }

  /** How many paths the last full scan passed over (rule 14). */
  get ignored(): number {
    return this.#ignored
  }

  /** Why the last round came to nothing, in words; null: it did not. */
  get failure(): string | null {
    return this.#failure
  }

  /** Called by whoever has something to look at. */
  get wake(): Wake {
    return this.#parts.dirty.wake
  }

  get isInRound(): boolean {
    return this.#isInRound
  }

  /** The whole volume was looked at once since the start. */
  get isFirstScanDone(): boolean {
    return this.#isFirstScanDone
  }

  /** And what was found is in the index. */
  get isFirstScanCommitted(): boolean {
    return this.#isFirstScanCommitted
  }

  /** Resolves when the first scan is in the index, or the signal aborts. */
  async firstScan(signal: AbortSignal): Promise<void> {
    while (!this.#isFirstScanCommitted && !signal.aborted) {
      await this.#firstScan.wait(this.#parts.clock, null, signal)
    }
  }

  /**
   * Stamps deletes that were held back, and holds them no more, in one commit; in the serial loop. What is there again is left alone. SyndError
   * when the peer is halted.
   */
  stampHeld(paths: readonly RelativePath[]): void {
    const { stamping, heldDeletes } = this.#parts
    this.#stampAbsent(paths, (record) => stamping.gone(record), { heldDeletes: { removed: paths } })
    heldDeletes.forget(paths)
  }

  /** Stamps what is here instead of what no peer has; in the serial loop. SyndError when the peer is halted. */
  stampGivenUp(path: RelativePath): void {
    const { store, stamping, ledger, inbox, mode, volume } = this.#parts
    demandVolume(volume)
    const record = store.get(path)
    if (record === null) return
    const { entry, observation } = record
    if (observation === null) return this.#stampAbsent([path], () => stamping.lost(record))
    if (entry.version.size > 0 || mode === 'receive-only') return
    ledger.commit([stamping.founded(entry, observation)])
    inbox.add(path)
  }

  #stampAbsent(
    paths: readonly RelativePath[],
    stamp: (record: IndexRecord) => Put | null,
    rest: Pick<Transaction, 'heldDeletes'> = {},
  ): void {
    const { store, volume, ledger, mode } = this.#parts
    const steps: Step[] = []
    const forgotten: RelativePath[] = []
    for (const path of mode === 'receive-only' ? [] : paths) {
      const record = store.get(path)
      if (record === null || !isLive(record.entry) || volume.look(path).kind !== 'absent') continue
      const put = stamp(record)
      if (put === null) forgotten.push(path)
      else steps.push({ ...put, replacesDirectory: false })
    }
    // After the looks: a volume that went meanwhile shows everything absent (rule 20).
    demandVolume(volume)
    ledger.commit(orderForAnnouncement(steps), rest)
    this.#forget(forgotten)
    for (const { entry } of steps) this.#noteStamped(entry.path)
  }

  /** Nothing of what was there before is to be had again. */
  #noteStamped(path: RelativePath): void {
    this.#parts.damage.stamped(path)
    this.#parts.problems.clear('damaged', path)
  }

  /** What was never announced leaves no tombstone; what others have under these names is to be had now. */
  #forget(paths: readonly RelativePath[]): void {
    const { ledger, inbox } = this.#parts
    if (paths.length > 0) ledger.forget(paths)
    for (const path of paths) inbox.add(path)
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, dirty, volume } = this.#parts
    while (!signal.aborted) {
      const dueMs = dirty.nextDueMs()
      const delayMs = dueMs === null ? null : Math.max(0, dueMs - clock.monotonicMs())
      if (delayMs === null || delayMs > 0) {
        await this.wake.wait(clock, delayMs, signal)
        continue
      }
      const isDone = volume.halt() === null && (await this.#tryRound())
      if (!isDone) await clock.sleep(haltedMs, signal)
    }
  }

  /** False when the volume could not be listed or the index not be written: the same is to be done again. */
  async #tryRound(): Promise<boolean> {
    const { clock, dirty, observer } = this.#parts
    let scope: ReturnType<DirtyPaths['takeDue']> | null = null
    this.#isInRound = true
    try {
      const isKnown = await this.#parts.ignoring.refresh()
      // Only now: other rules than before make everything due.
      if (isKnown) scope = dirty.takeDue(clock.monotonicMs())
      this.#setFailure(scope === null ? 'what is ignored cannot be read' : await this.#round(scope))
    } catch (error) {
      if (!(error instanceof SyndError)) throw error
      observer.log('error', 'what was found could not be recorded', { reason: error.message })
      this.#setFailure(error.message)
    } finally {
      this.#isInRound = false
    }
    if (this.#failure !== null && scope !== null) dirty.putBack(scope, clock.monotonicMs())
    dirty.cool(clock.monotonicMs())
    this.#firstScan.call()
    this.#parts.onRoundDone()
    return this.#failure === null
  }

  #setFailure(reason: string | null): void {
    this.#failure = reason
  }

  /** Why it came to nothing; null: it did not. */
  async #round(scope: Scope): Promise<string | null> {
    const { clock, dirty, findings, newScan, observer, serial, mayStamp } = this.#parts
    const startMs = clock.monotonicMs()
    const scanned = await newScan().run(scope)
    if (scanned.rootUnreadable !== null) return scanned.rootUnreadable
    const times = { startMs, nowMs: clock.monotonicMs() }
    const { confirmed, fresh } = this.#vanishing.confirm(scanned, scope, times)
    const hashed = await findings.hash(scanned.different)
    if (scope.isFullScan) {
      this.#isFirstScanDone = true
      this.#ignored = scanned.ignoredCount
      observer.scanned((clock.monotonicMs() - startMs) / 1000)
      this.#parts.onScanned()
    }
    // All at one time: what was lost at once is looked at, and judged, at once (rule 19).
    const seenMs = clock.monotonicMs()
    for (const path of fresh) dirty.add(path, seenMs, { delayMs: vanishedMs })
    for (const path of scanned.unreadable)
      dirty.add(path, startMs, { isTree: true, delayMs: unreadableMs })
    if (hashed.length > 0 || confirmed.size > 0) await mayStamp()
    const reason = await serial.run(async () => this.#commit({ hashed, confirmed }, scanned, scope))
    if (!scope.isFullScan || reason !== null) return reason
    this.#isFirstScanCommitted = true
    await serial.run(() => this.#parts.heldFiles.tryAgain())
    return null
  }

  async #commit(seen: Seen, scanned: Scanned, scope: Scope): Promise<string | null> {
    const { ledger, volume, heldDeletes, dirty, clock, inbox, problems, mode } = this.#parts
    const { hashed, confirmed } = seen
    const { present, ignored } = scanned
    const nowMs = clock.monotonicMs()
    const halt = volume.halt()
    if (halt !== null) return halt.message
    await this.#parts.unrecorded.settle()
    for (const path of ignored) this.#parts.ignoring.forgetTree(path)
    if (mode === 'receive-only') {
      const known = this.#listing.note(seen, scanned, scope)
      if (known.length > 0) ledger.commit(known)
      return null
    }
    const found = this.#gains.stamp(hashed, confirmed)
    const { puts: losses, forgotten } = this.#losses.stamp(confirmed, hashed)
    const steps = losses.map((put) => ({ ...put, replacesDirectory: false }))
    const puts = orderForAnnouncement([...found, ...steps])
    await this.#syncAdopted(puts)
    for (let start = 0; start < puts.length; start += commitAtOnce) {
      if (start > 0) await clock.yield()
      demandVolume(volume)
      const some = puts.slice(start, start + commitAtOnce)
      ledger.commit(some)
      for (const { entry, isAnnounced } of some) {
        this.#noteStamped(entry.path)
        if (entry.version.size === 0) inbox.add(entry.path)
        if (isAnnounced) dirty.published(entry.path, nowMs)
        if (entry.kind === 'directory') problems.clear('leftover', entry.path)
      }
    }
    this.#forget(forgotten)
    heldDeletes.cancelFound(present)
    return null
  }

  /** Rule 10: what an earlier life did, and ended before it was sure to outlast a power loss, counts as applied by this commit. */
  async #syncAdopted(puts: readonly Put[]): Promise<void> {
    const { volume } = this.#parts
    const adopted = puts.filter(({ isAnnounced, seenMs }) => isAnnounced && seenMs === null)
    if (adopted.length === 0) return
    volume.noteNames(adopted.map(({ entry }) => entry.path))
    await volume.syncDirectories()
    demandVolume(volume)
  }
}
