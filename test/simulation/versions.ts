import { contentDigest, type Entry } from '../../src/core/entry.ts'
import { formatVector, type VersionVector } from '../../src/core/version-vector.ts'
import type { Store } from '../../src/engine/ports.ts'

interface Named {
  readonly name: string
  readonly host: { readonly store: Store }
}

/** Where one id may have issued a counter twice (rule 1); Forks fits. */
interface Doubts {
  isDoubtful(version: VersionVector): boolean
}

/** Equal vectors mean equal content, whoever has them and whenever: what an index once said of a path it says for ever. */
export class Versions {
  /** By path and vector. */
  readonly #contents = new Map<string, string>()
  readonly #known = new WeakSet<Entry>()

  /** To be called after every step; in words which two differ, or null. Entries never change: each is looked at once. */
  fault(peers: readonly Named[], doubts: Doubts): string | null {
    for (const { name, host } of peers) {
      for (const { entry } of host.store.all()) {
        if (this.#known.has(entry)) continue
        this.#known.add(entry)
        const other = this.#note(entry)
        if (other !== null && !doubts.isDoubtful(entry.version))
          return `${name} has ${contentOf(entry)} at ${entry.path}, and under the same vector there was ${other}`
      }
    }
    return null
  }

  /** What else had the same vector, or null. */
  #note(entry: Entry): string | null {
    // What a joining peer found has no version yet (rule 9).
    if (entry.version.size === 0) return null
    const key = `${entry.path} ${formatVector(entry.version)}`
    const content = contentOf(entry)
    const known = this.#contents.get(key)
    if (known === undefined) this.#contents.set(key, content)
    return known === undefined || known === content ? null : known
  }
}

function contentOf(entry: Entry): string {
  return `${entry.kind} ${contentDigest(entry)?.slice(0, 8) ?? ''}`.trim()
}
