import { ancestorsOf, type RelativePath } from '../../core/relative-path.ts'
import type { Scanned, Scope } from './scan.ts'

/** Paths that are gone for good, each with whether no event had told of it: only a full scan found it (rule 19). */
export type Confirmed = ReadonlyMap<RelativePath, { readonly isSilent: boolean }>

/**
 * How long a path must be gone before that is believed: the new name of a rename, and what follows an unlink at the same name, are seen by then.
 */
export const vanishedMs = 100

/**
 * Paths that were found gone once. A path is taken for deleted only when a round that began a while after it was seen gone finds the same
 * (rule 15): a rename is never a delete first, and a file that is swapped by unlink and create is never a delete at all.
 */
export class Vanishing {
  readonly #seen = new Map<RelativePath, { isSilent: boolean; readonly sinceMs: number }>()

  get size(): number {
    return this.#seen.size
  }

  /** How many are gone, so far without an event, and not dealt with yet. */
  get silent(): number {
    return [...this.#seen.values()].filter(({ isSilent }) => isSilent).length
  }

  /**
   * Splits what a round found gone (or a directory replaced) into what was so before, and what must be looked at once more. The round began
   * at `startMs`.
   */
  confirm(
    scanned: Scanned,
    scope: Scope,
    times: { readonly startMs: number; readonly nowMs: number },
  ): { confirmed: Confirmed; fresh: RelativePath[] } {
    const { startMs, nowMs } = times
    const candidates = new Set([...scanned.gone, ...replacedDirectories(scanned)])
    this.#forgetFound(candidates, scanned, scope)
    const told = new Set(scope.paths.filter(({ isTold }) => isTold).map(({ path }) => path))
    const confirmed = new Map<RelativePath, { readonly isSilent: boolean }>()
    const fresh: RelativePath[] = []
    for (const path of candidates) {
      const seen = this.#seen.get(path) ?? { isSilent: scope.isFullScan, sinceMs: nowMs }
      // An event may come after the scan that found it.
      if (seen.isSilent) seen.isSilent = !this.#isTold(path, { told, candidates, seen, nowMs })
      this.#seen.set(path, seen)
      if (startMs - seen.sinceMs >= vanishedMs) confirmed.set(path, seen)
      else fresh.push(path)
    }
    return { confirmed, fresh }
  }

  /**
   * Whether an event told of a path, or of a directory above it that it is gone with: what was gone before its directory was, in which it was
   * missing, did not go with that.
   */
  #isTold(
    path: RelativePath,
    round: {
      readonly told: ReadonlySet<RelativePath>
      readonly candidates: ReadonlySet<RelativePath>
      readonly seen: { readonly sinceMs: number }
      readonly nowMs: number
    },
  ): boolean {
    const { told, candidates, seen, nowMs } = round
    if (told.has(path)) return true
    return ancestorsOf(path).some((above) => {
      const isGoneToo = told.has(above) && candidates.has(above)
      return isGoneToo && (this.#seen.get(above)?.sinceMs ?? nowMs) <= seen.sinceMs
    })
  }

  /** Looked at again and not gone any more: it is back, or a peer's delete took it meanwhile. */
  #forgetFound(candidates: ReadonlySet<RelativePath>, scanned: Scanned, scope: Scope): void {
    const looked = new Set(scope.paths.map(({ path }) => path))
    for (const path of this.#seen.keys()) {
      const isLookedAt = scope.isFullScan || looked.has(path) || scanned.present.has(path)
      if (isLookedAt && !candidates.has(path)) this.#seen.delete(path)
    }
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
