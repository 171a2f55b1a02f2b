import type { RelativePath } from '../../core/relative-path.ts'
import type { Scanned, Scope } from './scan.ts'

/** Paths that are gone for good, each with whether no event had told of it: only a full scan found it (rule 19). */
export type Confirmed = ReadonlyMap<RelativePath, { readonly isSilent: boolean }>

/**
 * Paths that were found gone once. A path is taken for deleted only when the round that began after it was seen gone finds the same
 * (rule 15): a rename is never a delete first, and a file that is swapped by unlink and create is never a delete at all.
 */
export class Vanishing {
  readonly #seen = new Map<RelativePath, { readonly isSilent: boolean }>()

  get size(): number {
    return this.#seen.size
  }

  /** Splits what a round found gone (or a directory replaced) into what was so before, and what must be looked at once more. */
  confirm(scanned: Scanned, scope: Scope): { confirmed: Confirmed; fresh: RelativePath[] } {
    const candidates = new Set([...scanned.gone, ...replacedDirectories(scanned)])
    const told = new Set(scope.paths.map(({ path }) => path))
    for (const path of this.#seen.keys()) {
      // Looked at again and not gone any more: it is back, or a peer's delete took it meanwhile.
      const isLookedAt = scope.isFullScan || told.has(path) || scanned.present.has(path)
      if (isLookedAt && !candidates.has(path)) this.#seen.delete(path)
    }
    const confirmed = new Map<RelativePath, { readonly isSilent: boolean }>()
    const fresh: RelativePath[] = []
    for (const path of candidates) {
      const seen = this.#seen.get(path)
      if (seen === undefined) fresh.push(path)
      else confirmed.set(path, seen)
    }
    for (const path of fresh)
      this.#seen.set(path, { isSilent: scope.isFullScan && !told.has(path) })
    return { confirmed, fresh }
  }

  /** Dealt with: stamped, held, or there again. */
  forget(path: RelativePath): void {
    this.#seen.delete(path)
  }
}

function replacedDirectories({ different }: Scanned): RelativePath[] {
  const replaced: RelativePath[] = []
  for (const { path, record, observation } of different.values()) {
    if (record?.entry.kind === 'directory' && observation.kind !== 'directory') replaced.push(path)
  }
  return replaced
}
