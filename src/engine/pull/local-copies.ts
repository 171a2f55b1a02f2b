import { conflictCopyPath, copyAttempts, type Loser } from '../../core/conflict.ts'
import { isLive, sameContent, type Entry } from '../../core/entry.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { LocalChanges } from '../local-changes.ts'
import type { Applied, Clock, Observer, Stage, Volume } from '../ports.ts'
import type { DirtyPaths } from '../publish/dirty-paths.ts'
import type { Stamping } from '../publish/stamping.ts'
import type { Copies } from './copies.ts'
import type { Overlay } from './overlay.ts'

/**
 * Conflict copies of a receive-only peer (rules M6 and M7): files beside the others that nobody is told of. A copy of what was received has
 * the name that everybody's copy of it has, and is adopted when that is announced.
 */
export class LocalCopies implements Copies {
  readonly #volume: Volume
  readonly #clock: Clock
  readonly #dirty: DirtyPaths
  readonly #observer: Observer
  readonly #stamping: Stamping
  readonly #localChanges: LocalChanges

  constructor(parts: {
    volume: Volume
    clock: Clock
    dirty: DirtyPaths
    observer: Observer
    stamping: Stamping
    localChanges: LocalChanges
  }) {
    this.#volume = parts.volume
    this.#clock = parts.clock
    this.#dirty = parts.dirty
    this.#observer = parts.observer
    this.#stamping = parts.stamping
    this.#localChanges = parts.localChanges
  }

  has(loser: Loser, overlay: Overlay): boolean {
    return namesOf(loser).some((path) => this.#isAt(path, loser, overlay))
  }

  async ofLocal(loser: Loser, overlay: Overlay): Promise<boolean> {
    return this.#make(loser, overlay, async (copy) => {
      if (copy.kind === 'symlink')
        return this.#volume.apply({ kind: 'make', entry: copy, expected: null })
      const { digest, sizeBytes } = copy
      const stage = await this.#volume.stageFromLocal(loser.path, { digest, sizeBytes })
      if (stage !== null) return this.#publish(copy, stage)
      this.#lookAgain(loser.path)
      return { kind: 'changed' }
    })
  }

  async ofHold(
    id: string,
    { path, known }: { path: RelativePath; known: Entry | null },
    overlay: Overlay,
  ): Promise<boolean> {
    const held = await this.#volume.stageFromHold(id)
    if (held === null) return false
    const { stage, digest, observation } = held
    const made = this.#stamping.unversioned({ path, observation, digest, target: null })
    const isKnown = known?.kind === 'file' && known.digest === digest
    const isKept =
      isKnown ||
      (made.kind === 'file' &&
        (await this.#make(made, overlay, async (copy) => this.#publish(copy, stage))))
    await stage.discard()
    return isKept
  }

  async #make(
    loser: Loser,
    overlay: Overlay,
    put: (copy: Loser) => Promise<Applied>,
  ): Promise<boolean> {
    for (const path of namesOf(loser)) {
      if (this.#isAt(path, loser, overlay) || (await this.#isOnDisk(path, loser))) return true
      if (isLive(overlay.get(path)?.entry) || this.#volume.look(path).kind !== 'absent') continue
      const copy = { ...loser, path }
      const applied = await put(copy)
      if (applied.kind !== 'applied' || applied.observation === null) {
        this.#lookAgain(path)
        return false
      }
      this.#localChanges.note(path, { entry: copy, observation: applied.observation })
      this.#observer.conflicted()
      return true
    }
    return false
  }

  #isAt(path: RelativePath, loser: Loser, overlay: Overlay): boolean {
    const made = this.#localChanges.madeAt(path)?.entry
    const entry = this.#localChanges.has(path) ? made : overlay.get(path)?.entry
    return isLive(entry) && sameContent(entry, loser)
  }

  /** A life before made it, and it was not looked at yet. */
  async #isOnDisk(path: RelativePath, loser: Loser): Promise<boolean> {
    const look = this.#volume.look(path)
    if (look.kind !== 'present' || look.observation.kind !== loser.kind) return false
    const { observation } = look
    const digested = await this.#volume.digest(path, observation)
    if (digested.kind !== 'digested' || digested.digest !== loser.digest) return false
    this.#localChanges.note(path, { entry: { ...loser, path }, observation })
    return true
  }

  #publish(copy: Loser, stage: Stage): Promise<Applied> {
    if (copy.kind !== 'file') throw new Error('only files are published')
    return this.#volume.apply({ kind: 'publish', entry: copy, stage, expected: null })
  }

  #lookAgain(path: RelativePath): void {
    this.#dirty.add(path, this.#clock.monotonicMs())
  }
}

function namesOf(loser: Loser): RelativePath[] {
  return Array.from({ length: copyAttempts }, (_, attempt) => conflictCopyPath(loser, attempt))
}
