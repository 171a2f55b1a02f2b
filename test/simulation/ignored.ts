import { isIgnoredBy, type IgnoreRules } from '../../src/core/ignore.ts'
import { parseRelativePath, type RelativePath } from '../../src/core/relative-path.ts'
import { parseIgnoreRules } from '../../src/volume/ignore-file.ts'
import type { Hands } from '../support/hands.ts'
import { ignoreFile } from './deeds-ignore.ts'

/** Any conflict copy of a path is ignored if this is. */
const copySuffix = '.sync-conflict-20260101-000000-00000000'

/** What anybody ever ignored: it, and its conflict copies, may be on a disk and in no index (rule 14). */
export class Ignored {
  readonly #rules = new Map<string, IgnoreRules>()

  /** To be called after every step. */
  note(peers: readonly { readonly hands: Hands }[]): void {
    for (const { hands } of peers) {
      const text = hands.read(ignoreFile) ?? ''
      if (!this.#rules.has(text)) this.#rules.set(text, parseIgnoreRules(text))
    }
  }

  has(path: RelativePath): boolean {
    const copy = parseRelativePath(`${path}${copySuffix}`)
    return [...this.#rules.values()].some(
      (rules) => isIgnoredBy(rules, path, false) || isIgnoredBy(rules, copy, false),
    )
  }
}
