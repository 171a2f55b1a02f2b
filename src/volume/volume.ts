import type { Loser } from '../core/conflict.ts'
import type { Digest } from '../core/digest.ts'
import type { IgnoreRules } from '../core/ignore.ts'
import type { Look, Observation } from '../core/observation.ts'
import type { RelativePath } from '../core/relative-path.ts'
import type {
  Applied,
  Change,
  Digested,
  KnownContent,
  ExpectedFile,
  Listing,
  Stage,
  Volume,
  VolumeHalt,
} from '../engine/ports.ts'
import { applyChange } from './apply/apply.ts'
import { directoryOf, type ApplyContext } from './apply/context.ts'
import { prepareHolds } from './apply/hold.ts'
import { DirectorySyncs } from './apply/directory-syncs.ts'
import { digestOf } from './digest.ts'
import { DiskError, type Disk, type DiskPath } from './disk.ts'
import { holdPathOf, isHoldId, type HoldLedger } from './held.ts'
import { readIgnoreRules } from './ignore-file.ts'
import { holdDirectory, type Ids } from './ground/layout.ts'
import { listDirectory, lookAt, lookAtEach } from './look.ts'
import { haltOf, writeGeneration, type Marker } from './ground/marker.ts'
import type { Keeps } from './ground/probe.ts'
import type { RootIdentity } from './ground/root.ts'
import { countAside, putAside } from './quarantine.ts'
import { type FileStage, type StageExpectation } from './staging/stage.ts'
import { syncStages } from './staging/sync-stages.ts'
import { createStage, stageCopy, stageHeld, sweepStaging, type Staging } from './staging/staging.ts'

/** The directory that is kept equal, on any Disk; made by `openVolume`. */
export class SyndVolume implements Volume {
  readonly keepsModes: boolean
  readonly keepsSymlinks: boolean
  readonly #disk: Disk
  readonly #path: string
  readonly #root: RootIdentity
  readonly #staging: Staging
  readonly #context: ApplyContext
  readonly #syncs: DirectorySyncs
  #marker: Marker
  #leftovers: readonly string[]

  constructor(parts: {
    readonly disk: Disk
    readonly path: string
    readonly root: RootIdentity
    readonly marker: Marker
    readonly keeps: Keeps
    readonly ids: Ids
    readonly ledger: HoldLedger
    readonly isDurable: boolean
    /** Directories that were changed already and are not synced. */
    readonly touched: Set<DiskPath>
    /** Names in staging that a former life left. */
    readonly leftovers: readonly string[]
  }) {
    const { disk, ids, ledger, keeps, isDurable } = parts
    this.keepsModes = keeps.modes
    this.keepsSymlinks = keeps.symlinks
    this.#disk = disk
    this.#path = parts.path
    this.#root = parts.root
    this.#marker = parts.marker
    this.#leftovers = parts.leftovers
    this.#staging = { disk, ids, isDurable, keepsModes: keeps.modes }
    this.#context = {
      ...this.#staging,
      recordHolds: (holds) => ledger.recordHolds(holds),
      preparedHolds: new Map(),
      touched: parts.touched,
      besides: new Set(),
    }
    this.#syncs = new DirectorySyncs(this.#context)
  }

  /** What `.synd/volume-id` says. */
  get marker(): Marker {
    return this.#marker
  }

  /** Writes another generation into the marker (rule 20, where the index lives elsewhere). */
  async setGeneration(generation: string): Promise<void> {
    await writeGeneration(this.#disk, { id: this.#marker.id, generation })
    this.#marker = { ...this.#marker, generation }
  }

  halt(): VolumeHalt | null {
    return haltOf(this.#disk, { path: this.#path, root: this.#root, mark: this.#marker.mark })
  }

  look(path: RelativePath | null): Look {
    return lookAt(this.#disk, path ?? '')
  }

  lookEach(paths: readonly RelativePath[]): readonly Look[] {
    return lookAtEach(this.#disk, paths)
  }

  list(directory: RelativePath | null): Listing {
    return listDirectory(this.#disk, directory)
  }

  readIgnoreRules(): Promise<IgnoreRules | string> {
    return readIgnoreRules(this.#disk)
  }

  digest(
    path: RelativePath,
    observed: Observation,
    known: KnownContent | null = null,
  ): Promise<Digested> {
    return digestOf(this.#disk, path, { observed, known })
  }

  async createStage(expected: StageExpectation): Promise<FileStage> {
    return createStage(this.#staging, expected)
  }

  stageFromLocal(path: RelativePath, expected: StageExpectation): Promise<FileStage | null> {
    return stageCopy(this.#staging, path, expected)
  }

  stageFromHold(id: string): Promise<{
    stage: FileStage
    digest: Digest
    sizeBytes: number
    observation: Observation
  } | null> {
    return stageHeld(this.#staging, id)
  }

  async putAside(loser: Loser): Promise<boolean> {
    if (loser.kind === 'symlink') return putAside(this.#context, { loser, staged: null })
    const { digest, sizeBytes, mode, mtimeUs } = loser
    const metadata = { mode, mtimeUs }
    const stage = await this.stageFromLocal(loser.path, { digest, sizeBytes, metadata })
    if (stage === null) return false
    try {
      await stage.bringToDisk()
      return await putAside(this.#context, { loser, staged: stage.path })
    } finally {
      await stage.discard()
    }
  }

  /** Nothing, while `.synd` cannot be read. */
  asideCount(): number {
    try {
      return countAside(this.#disk)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      return 0
    }
  }

  syncStages(stages: readonly Stage[]): Promise<void> {
    return syncStages(stages)
  }

  prepareHolds(files: readonly ExpectedFile[]): readonly string[] {
    return prepareHolds(this.#context, files)
  }

  apply(change: Change): Promise<Applied> {
    return applyChange(this.#context, change)
  }

  setDirectoryTime(path: RelativePath, mtimeUs: number): void {
    try {
      if (this.#disk.lstat(path)?.kind === 'directory') this.#disk.setMtime(path, mtimeUs)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }

  noteNames(paths: Iterable<RelativePath>): void {
    for (const path of paths) this.#context.touched.add(directoryOf(path))
  }

  /** Throws SyndError `io`; what was not synced then is tried again with the next call. */
  syncDirectories(): Promise<void> {
    return this.#syncs.sync()
  }

  /** The files in `.synd/hold`, whether recorded or not. */
  heldIds(): readonly string[] {
    return this.#disk.list(holdDirectory).filter(isHoldId)
  }

  /** One look at a held file: nobody wrote into it since it was taken if that is `sameBytes` with what was expected. */
  lookHold(id: string): Look {
    return this.#disk.together(() => lookAt(this.#disk, holdPathOf(id)))
  }

  sweep(): void {
    sweepStaging(this.#disk, this.#leftovers)
    this.#leftovers = []
  }

  async releaseHolds(ids: readonly string[]): Promise<void> {
    try {
      // What is no id could be the name of something else (G10).
      await this.#disk.unlinkEach(holdDirectory, ids.filter(isHoldId))
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }
}
