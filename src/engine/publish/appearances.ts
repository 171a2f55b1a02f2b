import type { Digest } from '../../core/digest.ts'
import { contentDigest } from '../../core/entry.ts'
import type { HashedDifference } from './findings.ts'

/** A rename is seen as an appearance in one round and as a loss in a later one (rule 15), after the longest pause of a path. */
const rememberedMs = 60_000

/** Contents that appeared under new names lately, each as often as it did: what of them is gone elsewhere was renamed. */
export class Appearances {
  readonly #recent = new Map<Digest, { count: number; atMs: number }>()

  note(found: readonly HashedDifference[], nowMs: number): void {
    for (const [digest, { atMs }] of this.#recent) {
      if (nowMs - atMs < rememberedMs) break
      this.#recent.delete(digest)
    }
    for (const { finding, record } of found) {
      const { digest } = finding
      const isNews = digest !== null && (record === null || contentDigest(record.entry) !== digest)
      if (!isNews) continue
      const count = (this.#recent.get(digest)?.count ?? 0) + 1
      this.#recent.delete(digest)
      this.#recent.set(digest, { count, atMs: nowMs })
    }
  }

  /** Whether one of them is still to be accounted for; it is then. Null: a directory, which has no content to know it by. */
  claim(digest: Digest | null): boolean {
    const recent = digest === null ? undefined : this.#recent.get(digest)
    if (recent === undefined || recent.count === 0) return false
    recent.count--
    return true
  }
}
