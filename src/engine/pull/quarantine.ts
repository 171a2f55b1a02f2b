import type { Loser } from '../../core/conflict.ts'
import type { Digest } from '../../core/digest.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Clock, Volume } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'
import type { DirtyPaths } from '../publish/dirty-paths.ts'

/** So many differing files of one that joins become conflict copies on all hosts; who has more has most likely joined with another tree. */
const mostCopies = 1_000

/**
 * What a joining peer's own files lose their names to, beyond a thousand of them: they are put aside in `.synd/quarantine`, on this host alone,
 * instead of becoming conflict copies everywhere (rule 9).
 */
export class Quarantine {
  readonly #volume: Volume
  readonly #clock: Clock
  readonly #problems: ProblemList
  readonly #dirty: DirtyPaths
  /** What was put aside and is about to lose its name. */
  readonly #aside = new Map<RelativePath, Digest>()
  #copies = 0

  constructor(parts: { volume: Volume; clock: Clock; problems: ProblemList; dirty: DirtyPaths }) {
    this.#volume = parts.volume
    this.#clock = parts.clock
    this.#problems = parts.problems
    this.#dirty = parts.dirty
  }

  /** Whether the loser is to be put aside. */
  isFor(loser: Loser): boolean {
    return isFound(loser) && this.#copies >= mostCopies
  }

  /** A conflict copy was made of it. */
  copied(loser: Loser): void {
    if (isFound(loser)) this.#copies++
  }

  /** What is under that name on this disk is in quarantine. */
  has({ path, digest }: Loser): boolean {
    return this.#aside.get(path) === digest
  }

  /** It has lost its name. */
  done(path: RelativePath): void {
    this.#aside.delete(path)
  }

  /** Puts them aside, durable when it returns. What is another by now is looked at again. */
  async put(losers: readonly Loser[]): Promise<void> {
    if (losers.length === 0) return
    const kept: Loser[] = []
    for (const loser of losers) {
      if (await this.#volume.putAside(loser)) kept.push(loser)
      else this.#dirty.add(loser.path, this.#clock.monotonicMs())
    }
    await this.#volume.syncDirectories()
    for (const { path, digest } of kept) this.#aside.set(path, digest)
    this.report()
  }

  /** Lists what is there; at the start, and whenever everything was looked at. */
  report(): void {
    const count = this.#volume.asideCount()
    if (count === 0) {
      this.#problems.clear('quarantined', null)
      return
    }
    const message = `${count} files that differed from the others' when this host joined are in .synd/quarantine, on this host alone: take out what you want to keep, delete the rest`
    this.#problems.set({ code: 'quarantined', path: null, message }, this.#clock.nowMs())
  }
}

/** Found while joining: nobody was told of it. */
function isFound({ version }: Loser): boolean {
  return version.size === 0
}
