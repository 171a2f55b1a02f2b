import type { Finding } from '../../core/detect.ts'
import type { Digest } from '../../core/digest.ts'
import type { Entry } from '../../core/entry.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { DirtyPaths } from './dirty-paths.ts'
import { mapLimited } from '../limit.ts'
import type { Clock, Volume } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'
import type { Difference } from './scan.ts'

/** As many files are read at once: enough for the worker threads, few enough to bound memory. */
const readAtOnce = 8

/** A larger file that was just written is published only once it has been quiet. */
const quietSizeBytes = 1024 * 1024
const largeMs = 150

/** An editor that truncates before it writes leaves an empty file for a moment. */
const emptiedMs = 50

/** Who makes a file writes into it next: what is published empty has to wait for its content (dirty-paths.ts). The event of the write ends this sooner. */
const madeMs = 10

/** A file that was not written to for this long is quiet whatever happened to it before. */
const longQuietMs = 2_000

/** What cannot be read is tried again after this; until it is read nobody can say that the peers are in sync. */
export const unreadableMs = 10_000

/** A path that differs, with its content hashed. */
export interface HashedDifference extends Difference {
  readonly finding: Finding
}

/** Hashes what a scan found different; what changes meanwhile, or is still being written, goes back to the dirty paths. */
export class Findings {
  readonly #volume: Volume
  readonly #clock: Clock
  readonly #dirty: DirtyPaths
  readonly #problems: ProblemList

  constructor(parts: { volume: Volume; clock: Clock; dirty: DirtyPaths; problems: ProblemList }) {
    this.#volume = parts.volume
    this.#clock = parts.clock
    this.#dirty = parts.dirty
    this.#problems = parts.problems
  }

  async hash(different: ReadonlyMap<RelativePath, Difference>): Promise<HashedDifference[]> {
    const quiet = [...different.values()].filter((difference) => this.#isQuiet(difference))
    const hashed = await mapLimited(quiet, readAtOnce, (difference) => this.#hashOne(difference))
    return hashed.filter((one) => one !== null)
  }

  #isQuiet({ path, observation, record }: Difference): boolean {
    if (observation.kind !== 'file') return true
    const quietMs = quietFor(observation.sizeBytes, record?.entry ?? null)
    if (quietMs === 0) return true
    // Not by its ctime: a whole file that is moved here, or gets its old mtime after it was written, has nothing more to come.
    const ageMs = this.#clock.nowMs() - Number(observation.mtimeNs / 1_000_000n)
    if (ageMs > longQuietMs) return true
    return this.#dirty.isQuiet(path, observation, {
      nowMs: this.#clock.monotonicMs(),
      quietMs,
    })
  }

  async #hashOne(difference: Difference): Promise<HashedDifference | null> {
    const { path, observation, record } = difference
    if (observation.kind === 'directory') return withContent(difference, null, null)
    const known = record?.entry.kind === 'file' ? record.entry : null
    const digested = await this.#volume.digest(path, observation, known)
    switch (digested.kind) {
      case 'digested':
        return withContent(difference, digested.digest, digested.target)
      case 'growing':
        this.#dirty.add(path, this.#clock.monotonicMs(), { delayMs: emptiedMs })
        return withContent(difference, digested.digest, null)
      case 'changed':
        this.#dirty.add(path, this.#clock.monotonicMs(), { delayMs: emptiedMs })
        return null
      case 'unreadable':
        this.#dirty.add(path, this.#clock.monotonicMs(), { delayMs: unreadableMs })
        this.#problems.set(
          { code: 'unreadable', path, message: digested.message },
          this.#clock.nowMs(),
        )
        return null
    }
  }
}

/** How long a file of this size has to look the same before it is published. */
function quietFor(sizeBytes: number, entry: Entry | null): number {
  if (sizeBytes > quietSizeBytes) return largeMs
  if (sizeBytes > 0) return 0
  if (entry?.kind !== 'file') return madeMs
  return entry.sizeBytes > 0 ? emptiedMs : 0
}

function withContent(
  difference: Difference,
  digest: Digest | null,
  target: string | null,
): HashedDifference {
  const { path, observation } = difference
  return { ...difference, finding: { path, observation, digest, target } }
}
