import type { DirectoryEntry, Entry } from '../../core/entry.ts'
import { parentOf, type RelativePath } from '../../core/relative-path.ts'
import type { Clock, Volume } from '../ports.ts'

/** Everything that comes into a directory moves its time: it is set when nothing came for so long. */
const quietMs = 2_000

/**
 * A directory's mtime is a hint (rule 12): one that was made here for a peer gets the time that it had there, once, when it has been quiet.
 * Nothing of it is stored; what a crash or a refusal leaves out stays as it is.
 */
export class DirectoryTimes {
  readonly #volume: Volume
  readonly #clock: Clock
  readonly #due = new Map<RelativePath, { readonly mtimeUs: number; dueMs: number }>()

  constructor({ volume, clock }: { volume: Volume; clock: Clock }) {
    this.#volume = volume
    this.#clock = clock
  }

  /** A directory that was not there was made. */
  made({ path, mtimeUs }: DirectoryEntry): void {
    this.#due.set(path, { mtimeUs, dueMs: this.#clock.monotonicMs() + quietMs })
  }

  /** Something was put on the disk, or taken from it. */
  applied({ path }: Entry): void {
    const parent = this.#due.size === 0 ? null : parentOf(path)
    const above = parent === null ? undefined : this.#due.get(parent)
    if (above !== undefined) above.dueMs = this.#clock.monotonicMs() + quietMs
  }

  /** Now and then: sets what has been quiet. */
  set(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [path, due] of this.#due) {
      if (due.dueMs > nowMs) continue
      const changedMs = this.#changedMs(path)
      if (changedMs !== null && this.#clock.nowMs() - changedMs < quietMs) {
        due.dueMs = nowMs + quietMs
        continue
      }
      this.#due.delete(path)
      if (changedMs !== null) this.#volume.setDirectoryTime(path, due.mtimeUs)
    }
  }

  /** When the directory last changed; null: there is none. */
  #changedMs(path: RelativePath): number | null {
    const look = this.#volume.look(path)
    if (look.kind !== 'present' || look.observation.kind !== 'directory') return null
    return Number(look.observation.mtimeNs / 1_000_000n)
  }
}
