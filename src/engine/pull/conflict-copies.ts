import { conflictCopyOf, copyAttempts, type Loser } from '../../core/conflict.ts'
import { isLive, sameContent, sameMetadata, type Entry } from '../../core/entry.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import type { Observation } from '../../core/observation.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import { reconcile } from '../../core/reconcile.ts'
import type { Copies } from './copies.ts'
import { isCopyKnown } from './known-copies.ts'
import type { DirtyPaths } from '../publish/dirty-paths.ts'
import type { Stamping } from '../publish/stamping.ts'
import type { Overlay } from './overlay.ts'
import type { Applied, Clock, Observer, Stage, Volume } from '../ports.ts'

/** Makes conflict copies (rule 7): bytes that lose a name get another one before they lose it. */
export class ConflictCopies implements Copies {
  readonly #volume: Volume
  readonly #clock: Clock
  readonly #stamping: Stamping
  readonly #dirty: DirtyPaths
  readonly #observer: Observer
  readonly #isIgnored: (path: RelativePath, isDirectory: boolean) => boolean

  constructor(parts: {
    volume: Volume
    clock: Clock
    stamping: Stamping
    dirty: DirtyPaths
    observer: Observer
    isIgnored: (path: RelativePath, isDirectory: boolean) => boolean
  }) {
    this.#volume = parts.volume
    this.#clock = parts.clock
    this.#stamping = parts.stamping
    this.#dirty = parts.dirty
    this.#observer = parts.observer
    this.#isIgnored = parts.isIgnored
  }

  has(loser: Loser, overlay: Overlay): boolean {
    return isCopyKnown(loser, overlay)
  }

  /** The copy of what the disk holds under the loser's name. False: the disk is not as the index says, look and decide again. */
  async ofLocal(loser: Loser, overlay: Overlay): Promise<boolean> {
    const put = async (copy: Loser): Promise<Applied> => {
      if (copy.kind === 'symlink')
        return this.#volume.apply({ kind: 'make', entry: copy, expected: null })
      const { digest, sizeBytes } = copy
      const stage = await this.#volume.stageFromLocal(loser.path, { digest, sizeBytes })
      if (stage !== null) return discarding(stage, () => this.#publish(copy, stage))
      this.#lookAgain(loser.path)
      return { kind: 'changed' }
    }
    return this.#make(loser, overlay, { put, isTriedAgain: true })
  }

  /**
   * The copy of a held file: what was written into it while it was being replaced is an edit over what the index knew (rule 22).
   * True when nothing of it is lost: the copy is made, or it holds what the index knew. False when the held file is gone or is no file.
   */
  async ofHold(
    id: string,
    { path, known }: { path: RelativePath; known: Entry | null },
    overlay: Overlay,
  ): Promise<boolean> {
    const held = await this.#volume.stageFromHold(id)
    if (held === null) return false
    const { stage, digest, observation } = held
    if (known?.kind === 'file' && known.digest === digest) {
      await stage.discard()
      return true
    }
    // After a crash it may have its copy already: the same dot gives the same name.
    const edit = this.#stamping.unversioned({ path, observation, digest, target: null })
    return discarding(stage, async () => {
      if (edit.kind !== 'file') return false
      const put = async (copy: Loser): Promise<Applied> =>
        copy.kind === 'file' ? this.#publish(copy, stage) : { kind: 'changed' }
      return this.#make(edit, overlay, { put, isTriedAgain: false })
    })
  }

  /** `isTriedAgain`: once the index knows what has the name. A held file takes another name at once. */
  async #make(
    loser: Loser,
    overlay: Overlay,
    options: { put: (copy: Loser) => Promise<Applied>; isTriedAgain: boolean },
  ): Promise<boolean> {
    for (let attempt = 0; attempt < copyAttempts; attempt++) {
      const copy = conflictCopyOf(loser, attempt)
      const existing = overlay.get(copy.path)
      const fate = fateOf(copy, existing)
      if (fate === 'exists') return true
      if (fate === 'taken') continue
      if (fate !== 'new') return this.#merge(fate, overlay)
      const isIgnored = this.#isIgnored(copy.path, false)
      const applied = await options.put(copy)
      // What is ignored leaves the index at the next look (rule 14).
      if (applied.kind !== 'applied' || isIgnored) this.#lookAgain(copy.path)
      if (applied.kind === 'applied') {
        const { observation } = applied
        overlay.put({ entry: copy, observation, isAnnounced: !isIgnored, seenMs: null })
        this.#observer.conflicted()
        return true
      }
      if (!isIgnored && options.isTriedAgain) return false
      // Something has the name that nobody records now: the copy itself, or it gets another name.
      const there = await this.#sameAt(copy)
      if (there === null) continue
      if (!isIgnored) return false
      overlay.put({ entry: copy, observation: there, isAnnounced: false, seenMs: null })
      return true
    }
    return false
  }

  /** What is on the disk under the copy's name, if that is the copy's content. */
  async #sameAt(copy: Loser): Promise<Observation | null> {
    const look = this.#volume.look(copy.path)
    if (look.kind !== 'present' || look.observation.kind !== copy.kind) return null
    const digested = await this.#volume.digest(copy.path, look.observation)
    const isSame = digested.kind === 'digested' && digested.digest === copy.digest
    return isSame ? look.observation : null
  }

  /** The same bytes are there already: their version is merged, and their mode if another maker saw another. */
  async #merge({ entry, existing }: Merged, overlay: Overlay): Promise<boolean> {
    let { observation } = existing
    if (observation !== null && isLive(entry) && !sameMetadata(entry, existing.entry)) {
      const change = { kind: 'set-metadata', entry, expected: observation } as const
      const applied = await this.#volume.apply(change)
      if (applied.kind !== 'applied') {
        this.#lookAgain(entry.path)
        return false
      }
      observation = applied.observation
    }
    overlay.put({ entry, observation, isAnnounced: true, seenMs: null })
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

/** Also where the copy was not made, or the same one was there: what was published is no stage any more. */
async function discarding<Result>(stage: Stage, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } finally {
    await stage.discard()
  }
}

/**
 * The copy is reconciled with what the index has under its name, as if a peer had sent it. A record: the same bytes are there already, and
 * only the version is merged.
 */
function fateOf(copy: Loser, existing: IndexRecord | null): 'new' | 'exists' | 'taken' | Merged {
  if (existing === null) return 'new'
  const decision = reconcile(existing.entry, copy, () => false)
  if (decision.kind === 'keep') return 'exists'
  const isSame = isLive(existing.entry) && sameContent(existing.entry, copy)
  if (decision.kind !== 'become' || !isSame) return 'taken'
  return { entry: decision.entry, existing }
}

interface Merged {
  readonly entry: Entry
  readonly existing: IndexRecord
}
