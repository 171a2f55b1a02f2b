import type { Digest } from '../../core/digest.ts'
import { contentDigest } from '../../core/entry.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { HashedDifference } from './findings.ts'

/** A rename is seen as an appearance in one round and as a loss in a later one (rule 15), after the longest pause of a path. */
const rememberedMs = 60_000

/** Contents that appeared under new names lately: what of them is gone under another name was renamed. */
export class Appearances {
  readonly #recent = new Map<RelativePath, { readonly digest: Digest; readonly atMs: number }>()

  note(found: readonly HashedDifference[], nowMs: number): void {
    for (const [path, { atMs }] of this.#recent) {
      if (nowMs - atMs < rememberedMs) break
      this.#recent.delete(path)
    }
    for (const { path, finding, record } of found) {
      const { digest } = finding
      const isNews = digest !== null && (record === null || contentDigest(record.entry) !== digest)
      this.#recent.delete(path)
      if (isNews) this.#recent.set(path, { digest, atMs: nowMs })
    }
  }

  /**
   * Of contents that are gone, each with its path, those that no appearance accounts for; each appearance accounts for one, and for none when
   * it is gone itself, whoever took it (`isThere`). A directory (null) has no content to know it by.
   */
  unaccounted<Gone extends { readonly path: RelativePath; readonly digest: Digest | null }>(
    gone: readonly Gone[],
    isThere: (path: RelativePath) => boolean,
  ): Gone[] {
    for (const { path } of gone) this.#recent.delete(path)
    const names = new Map<Digest, RelativePath[]>()
    for (const [path, { digest }] of this.#recent)
      if (isThere(path)) names.set(digest, [...(names.get(digest) ?? []), path])
    return gone.filter(({ digest }) => {
      const name = digest === null ? undefined : names.get(digest)?.pop()
      if (name !== undefined) this.#recent.delete(name)
      return name === undefined
    })
  }
}
