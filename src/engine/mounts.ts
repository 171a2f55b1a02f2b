import { ancestorsOf, type RelativePath } from '../core/relative-path.ts'
import type { Look, Observation } from '../core/observation.ts'
import type { Store, Volume } from './ports.ts'

/** Why nothing is done in such a directory. */
export const mountedMessage =
  'another file system is mounted here by now: its entries are kept as they were'

/**
 * Directories where another file system is mounted than the index saw, or none any more: what was in them was not deleted, and what is in them
 * now is not of this volume (rule 20). Looks at each once.
 */
export class Mounts {
  readonly #store: Pick<Store, 'get'>
  readonly #volume: Pick<Volume, 'look'>
  readonly #looks = new Map<RelativePath | null, Look>()

  constructor({ store, volume }: { store: Store; volume: Volume }) {
    this.#store = store
    this.#volume = volume
  }

  /** Of a directory that was found where the index knows one. The device of the whole volume may have another number since the last start. */
  isOther(known: Observation, seen: Observation): boolean {
    if (known.device === seen.device) return false
    const root = this.#look(null)
    const isOnVolume = root.kind === 'present' && root.observation.device === seen.device
    return !isOnVolume || known.inode !== seen.inode
  }

  /** The nearest directory, the path itself or one above it, where another is mounted; null: none is. */
  over(path: RelativePath): RelativePath | null {
    for (const directory of [path, ...ancestorsOf(path).toReversed()]) {
      const known = this.#store.get(directory)?.observation ?? null
      if (known?.kind !== 'directory') continue
      const look = this.#look(directory)
      if (look.kind === 'absent') continue
      if (look.kind !== 'present' || look.observation.kind !== 'directory') return null
      return this.isOther(known, look.observation) ? directory : null
    }
    return null
  }

  #look(directory: RelativePath | null): Look {
    const look = this.#looks.get(directory) ?? this.#volume.look(directory)
    this.#looks.set(directory, look)
    return look
  }
}
