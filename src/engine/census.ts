import { contentDigest, isLive, type Entry } from '../core/entry.ts'
import type { IndexRecord } from '../core/index-record.ts'
import type { Sha256 } from '../core/digest.ts'
import type { RelativePath } from '../core/relative-path.ts'
import { isConflictCopy } from '../core/conflict.ts'

/** Counts and the tree digest of the index, kept up with every commit. */
export class Census {
  readonly #sha256: Sha256
  readonly #conflictCopies = new Set<RelativePath>()
  readonly #missing = new Set<RelativePath>()
  readonly #unversioned = new Set<RelativePath>()
  #digest = 0n
  files = 0
  directories = 0
  symlinks = 0
  tombstones = 0
  sizeBytes = 0

  constructor({ sha256 }: { sha256: Sha256 }) {
    this.#sha256 = sha256
  }

  get live(): number {
    return this.files + this.directories + this.symlinks
  }

  /** Live entries that are not on this disk: to be taken from a peer again. */
  get missing(): ReadonlySet<RelativePath> {
    return this.#missing
  }

  /** Live entries that nobody was told of: found while joining, and not decided yet (rule 9). */
  get unversioned(): ReadonlySet<RelativePath> {
    return this.#unversioned
  }

  /** Paths of conflict copies that are in the volume, in byte order. */
  get conflictCopies(): readonly RelativePath[] {
    return [...this.#conflictCopies].toSorted()
  }

  /**
   * Equal on two peers exactly when their trees are: the XOR of the SHA-256 of every live entry's path, kind, content and mode
   * (paths are unique, so no two terms cancel). 64 hex digits.
   */
  get treeDigest(): string {
    return formatDigest(this.#digest)
  }

  /** That of a tree which has `shown` where the index has `known` (null: nothing), path by path. */
  treeDigestWith(
    pairs: Iterable<{ readonly known: Entry | null; readonly shown: Entry | null }>,
  ): string {
    let digest = this.#digest
    for (const pair of pairs) {
      for (const entry of [pair.known, pair.shown]) if (isLive(entry)) digest ^= this.#term(entry)
    }
    return formatDigest(digest)
  }

  replace(before: IndexRecord | null, after: IndexRecord | null): void {
    if (before !== null) this.#count(before, -1)
    if (after !== null) this.#count(after, 1)
  }

  #term(entry: Entry): bigint {
    return BigInt(`0x${this.#sha256(treeTerm(entry))}`)
  }

  #count({ entry, observation }: IndexRecord, sign: 1 | -1): void {
    if (isLive(entry)) {
      if (observation === null) mark(this.#missing, entry.path, sign)
      if (entry.version.size === 0) mark(this.#unversioned, entry.path, sign)
      this.#digest ^= this.#term(entry)
      if (isConflictCopy(entry.path)) mark(this.#conflictCopies, entry.path, sign)
    }
    switch (entry.kind) {
      case 'file':
        this.files += sign
        this.sizeBytes += sign * entry.sizeBytes
        return
      case 'directory':
        this.directories += sign
        return
      case 'symlink':
        this.symlinks += sign
        return
      case 'tombstone':
        this.tombstones += sign
        return
    }
  }
}

function mark(paths: Set<RelativePath>, path: RelativePath, sign: 1 | -1): void {
  if (sign === 1) paths.add(path)
  else paths.delete(path)
}

function formatDigest(digest: bigint): string {
  return digest.toString(16).padStart(64, '0')
}

function treeTerm(entry: Entry): string {
  const mode = entry.kind === 'symlink' ? '' : entry.mode.toString(8)
  return [entry.path, entry.kind, contentDigest(entry) ?? '', mode].join('\0')
}
