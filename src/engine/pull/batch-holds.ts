import type { IndexRecord } from '../../core/index-record.ts'
import { sameBytes } from '../../core/observation.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { ExpectedFile, Observer, Volume } from '../ports.ts'
import type { Copies } from './copies.ts'
import type { Overlay } from './overlay.ts'

/** What was moved out of the way, and what the index knew of it. */
interface HeldFile {
  readonly id: string
  readonly path: RelativePath
  readonly record: IndexRecord | null
  /** It was changed between the last look and the change. */
  readonly isDisplaced: boolean
}

/** What one batch takes out of the way (rule 22). */
export class BatchHolds {
  readonly #volume: Volume
  readonly #copies: Pick<Copies, 'ofHold'>
  readonly #observer: Observer
  readonly #held: HeldFile[] = []
  #prepared: readonly string[] = []

  constructor(parts: { volume: Volume; copies: Pick<Copies, 'ofHold'>; observer: Observer }) {
    this.#volume = parts.volume
    this.#copies = parts.copies
    this.#observer = parts.observer
  }

  /** Records the holds of what is likely to be taken, at one go; one alone is recorded when it is needed. */
  prepare(files: readonly ExpectedFile[]): void {
    this.#prepared = this.#volume.prepareHolds(files.length > 1 ? files : [])
  }

  add(held: HeldFile): void {
    this.#held.push(held)
  }

  /**
   * What was replaced or removed may have been written to in that moment, or since, through a descriptor that was open: then it becomes a
   * conflict copy. Returns the holds that can be let go.
   */
  async settle(overlay: Overlay): Promise<string[]> {
    const settled = this.#unused()
    for (const held of this.#held) {
      const { id, path, record } = held
      const isSettled =
        this.#isUnedited(held) ||
        (await this.#copies.ofHold(id, { path, known: record?.entry ?? null }, overlay))
      if (isSettled) settled.push(id)
      else
        this.#observer.log(
          'error',
          'a replaced file that had just been edited is kept in .synd/hold',
          { hold: id },
        )
    }
    return settled
  }

  #isUnedited({ id, record, isDisplaced }: HeldFile): boolean {
    const look = this.#volume.lookHold(id)
    const expected = record?.observation ?? null
    const isFile = look.kind === 'present' && look.observation.kind === 'file'
    const isAsExpected = !isFile || (expected !== null && sameBytes(look.observation, expected))
    return !isDisplaced && isAsExpected
  }

  /** Recorded ahead, and nothing was moved there after all. */
  #unused(): string[] {
    const used = new Set(this.#held.map(({ id }) => id))
    return this.#prepared.filter(
      (id) => !used.has(id) && this.#volume.lookHold(id).kind === 'absent',
    )
  }
}
