import { isLive } from '../../core/entry.ts'
import { SyndError } from '../../core/errors.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import { sameObservation, type Look, type Observation } from '../../core/observation.ts'
import type { ProblemCode } from '../../core/problem.ts'
import { joinPath, parentOf, reservedName, type RelativePath } from '../../core/relative-path.ts'
import type { DirtyPath } from './dirty-paths.ts'
import type { LocalChanges } from '../local-changes.ts'
import { mountedMessage, Mounts } from '../mounts.ts'
import type { Clock, Store, Volume } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'
import { Slices } from '../slices.ts'

/** Looks are synchronous; the event loop is given up at least this often: a long scan must not stop acknowledgements and health checks. */
const sliceMs = 15

/** So many dirty paths are looked at with one walk to their directory. */
const lookAtOnce = 32

/** A file modified this recently may have been modified again without its times showing it: the kernel stamps files with a clock that ticks only every few milliseconds. */
const racyMs = 2_000

/** Larger files must be quiet before they are published, so they are not racy. */
const racySizeBytes = 1024 * 1024

const scanProblems: readonly ProblemCode[] = ['unsupported-kind', 'unreadable', 'unsyncable-name']

/** A path that is not as the index says. */
export interface Difference {
  readonly path: RelativePath
  readonly observation: Observation
  readonly record: IndexRecord | null
}

/** What a scan found, by path. */
export interface Scanned {
  readonly different: Map<RelativePath, Difference>
  /** Live in the index, with everything below; nothing, or nothing that is synced, is there now. */
  readonly gone: Set<RelativePath>
  /** Paths that were looked at and are there. */
  readonly present: Set<RelativePath>
  /** What could not be looked at, or into: whatever is there may differ from the index. */
  readonly unreadable: Set<RelativePath>
  /** Live in the index, and ignored. */
  readonly ignored: Set<RelativePath>
  /** How many paths were passed over. */
  ignoredCount: number
  /** Why the volume itself could not be listed; null: it was. */
  rootUnreadable: string | null
}

export interface Scope {
  readonly paths: readonly DirtyPath[]
  readonly isFullScan: boolean
  readonly isRootList: boolean
}

/** Compares the disk with the index, in slices. Reads only; problems of single paths are listed. */
export class Scan {
  readonly #store: Store
  readonly #volume: Volume
  readonly #clock: Clock
  readonly #problems: ProblemList
  readonly #isIgnored: (path: RelativePath, isDirectory: boolean) => boolean
  readonly #isOwnWork: (path: RelativePath, observation: Observation) => boolean
  readonly #isSuspect: (record: IndexRecord) => boolean
  readonly #localChanges: LocalChanges
  readonly #mustHash = new Set<RelativePath>()
  readonly #found: Scanned = {
    different: new Map(),
    gone: new Set(),
    present: new Set(),
    unreadable: new Set(),
    ignored: new Set(),
    ignoredCount: 0,
    rootUnreadable: null,
  }
  readonly #slices: Slices
  readonly #mounts: Mounts

  constructor(parts: {
    store: Store
    volume: Volume
    clock: Clock
    problems: ProblemList
    isIgnored: (path: RelativePath, isDirectory: boolean) => boolean
    isOwnWork: (path: RelativePath, observation: Observation) => boolean
    /** Its bytes may be others though its times are the same (rule 23). */
    isSuspect: (record: IndexRecord) => boolean
    localChanges: LocalChanges
  }) {
    this.#store = parts.store
    this.#volume = parts.volume
    this.#clock = parts.clock
    this.#problems = parts.problems
    this.#isIgnored = parts.isIgnored
    this.#isOwnWork = parts.isOwnWork
    this.#isSuspect = parts.isSuspect
    this.#localChanges = parts.localChanges
    this.#slices = new Slices(parts.clock, sliceMs)
    this.#mounts = new Mounts(parts)
  }

  async run(scope: Scope): Promise<Scanned> {
    if (scope.isFullScan) this.#forgetOldProblems()
    if (scope.isFullScan || scope.isRootList) await this.#list(null, scope.isFullScan)
    for (let start = 0; start < scope.paths.length; start += lookAtOnce)
      await this.#lookAt(scope.paths.slice(start, start + lookAtOnce))
    return this.#found
  }

  async #lookAt(paths: readonly DirtyPath[]): Promise<void> {
    const looks = this.#volume.lookEach(paths.map(({ path }) => path))
    for (const [index, look] of looks.entries()) {
      const dirty = paths[index]
      if (dirty === undefined) return
      const { path, isTree, isListed, mustHash } = dirty
      if (this.#isSeenGone(path, look)) continue
      if (mustHash) this.#mustHash.add(path)
      if (look.kind === 'present' && this.#isRacy(path, look.observation)) this.#mustHash.add(path)
      const record = this.#store.get(path)
      const mountedAt = this.#isDoubtful(path, look, record) ? this.#mounts.over(path) : null
      if (mountedAt !== null) {
        this.#unreadable(mountedAt, mountedMessage)
        continue
      }
      const mustList = this.#consider(path, look, record)
      const isWanted = (isTree || isListed) && this.#found.present.has(path)
      if (mustList || isWanted) await this.#list(path, isTree)
      await this.#slices.breathe()
    }
  }

  /** It went with its directory, which is looked at before it. */
  #isSeenGone(path: RelativePath, look: Look): boolean {
    if (look.kind !== 'absent' || !this.#found.gone.has(path)) return false
    this.#problems.clearAll([...scanProblems, 'leftover'], path)
    return true
  }

  /** It may not be of the file system that the index knows there: it is gone, or on another device than before, or than its directory was. */
  #isDoubtful(path: RelativePath, look: Look, record: IndexRecord | null): boolean {
    if (look.kind === 'absent') return isLive(record?.entry)
    if (look.kind !== 'present') return false
    const parent = parentOf(path)
    if (parent === null) return false
    const known = record?.observation ?? this.#store.get(parent)?.observation
    return known?.device !== look.observation.device
  }

  /** Lists a directory and what is new below it; with `isTree` everything below it. */
  async #list(directory: RelativePath | null, isTree: boolean): Promise<void> {
    const pending: (RelativePath | null)[] = [directory]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const listing = this.#volume.list(next)
      if (listing.kind === 'unreadable') {
        if (next === null) this.#found.rootUnreadable = listing.message
        else this.#unreadable(next, listing.message)
        continue
      }
      if (listing.kind === 'absent') {
        if (next !== null) this.#consider(next, { kind: 'absent' }, this.#store.get(next))
        continue
      }
      const known = new Map(this.#store.children(next).map((record) => [record.entry.path, record]))
      for (const { name, look } of listing.children) {
        const path = this.#pathOf(next, name)
        if (path === null) continue
        const record = known.get(path) ?? this.#store.get(path)
        known.delete(path)
        const mustList = this.#consider(path, look, record)
        const isDirectory = look.kind === 'present' && look.observation.kind === 'directory'
        if (mustList || (isTree && isDirectory && this.#found.present.has(path))) pending.push(path)
        if (this.#slices.isOver) await this.#slices.breathe()
      }
      for (const record of known.values()) this.#gone(record)
    }
  }

  /** True when the path is a directory whose children are not known yet. */
  #consider(path: RelativePath, look: Look, record: IndexRecord | null): boolean {
    this.#problems.clearAll(scanProblems, path)
    switch (look.kind) {
      case 'absent':
        this.#problems.clear('leftover', path)
        if (record !== null) this.#gone(record)
        return false
      case 'unreadable':
        this.#unreadable(path, look.message)
        return false
      case 'unsyncable':
        if (this.#isIgnored(path, false)) this.#found.ignoredCount++
        else this.#report('unsupported-kind', path, `a ${look.what} is not synced`)
        if (record !== null) this.#gone(record)
        return false
      case 'present':
        return this.#present(path, look.observation, record)
    }
  }

  #present(path: RelativePath, observation: Observation, indexed: IndexRecord | null): boolean {
    const isDirectory = observation.kind === 'directory'
    if (this.#isIgnored(path, isDirectory)) {
      this.#found.ignoredCount++
      if (indexed !== null) this.#covered(indexed)
      return false
    }
    const record = this.#localChanges.shownAt(path, indexed)
    const known = record?.observation ?? null
    if (isDirectory && known?.kind === 'directory' && this.#mounts.isOther(known, observation)) {
      this.#unreadable(path, mountedMessage)
      return false
    }
    this.#found.present.add(path)
    const isKnown =
      record !== null &&
      isLive(record.entry) &&
      known !== null &&
      sameObservation(known, observation)
    if (!isKnown || this.#mustHash.has(path) || this.#isSuspect(record)) {
      this.#found.different.set(path, { path, observation, record: indexed })
    }
    if (indexed?.observation?.kind === 'directory' && !isDirectory) this.#goneBelow(path)
    return (
      isDirectory &&
      (known === null || known.kind !== 'directory' || known.inode !== observation.inode)
    )
  }

  /** We were told of a change: a file that was just modified is hashed even when its times are those of the index. */
  #isRacy(path: RelativePath, observation: Observation): boolean {
    if (observation.kind !== 'file' || observation.sizeBytes > racySizeBytes) return false
    const ageMs = this.#clock.nowMs() - Number(observation.mtimeNs / 1_000_000n)
    return ageMs < racyMs && !this.#isOwnWork(path, observation)
  }

  /** Something that is ignored has the name. Where what the index knows of it would not be, as a file where only directories are, that is gone. */
  #covered(record: IndexRecord): void {
    const { path, kind } = record.entry
    if (!this.#isIgnored(path, kind === 'directory')) this.#gone(record)
    else if (isLive(record.entry)) this.#found.ignored.add(path)
  }

  #gone(record: IndexRecord): void {
    if (!isLive(record.entry) || record.observation === null) return
    if (this.#localChanges.isGone(record.entry.path)) return
    this.#found.gone.add(record.entry.path)
    if (record.entry.kind === 'directory') this.#goneBelow(record.entry.path)
  }

  #goneBelow(directory: RelativePath): void {
    for (const child of this.#store.children(directory)) this.#gone(child)
  }

  #pathOf(parent: RelativePath | null, name: string): RelativePath | null {
    if (name === reservedName) return null
    try {
      return joinPath(parent, name)
    } catch (error) {
      if (!(error instanceof SyndError)) throw error
      if (parent !== null) this.#report('unsyncable-name', parent, `${error.message}: not synced`)
      return null
    }
  }

  #unreadable(path: RelativePath, message: string): void {
    this.#found.unreadable.add(path)
    this.#report('unreadable', path, message)
  }

  #report(code: ProblemCode, path: RelativePath, message: string): void {
    this.#problems.set({ code, path, message }, this.#clock.nowMs())
  }

  /** Problems of paths that are no longer there are not seen again by listing. */
  #forgetOldProblems(): void {
    for (const path of this.#problems.pathsWith(scanProblems))
      this.#problems.clearAll(scanProblems, path)
    for (const path of this.#problems.pathsWith(['leftover']))
      if (this.#volume.look(path).kind === 'absent') this.#problems.clear('leftover', path)
  }
}
