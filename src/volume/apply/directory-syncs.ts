import { SyndError } from '../../core/errors.ts'
import { DiskError, type DiskPath } from '../disk.ts'
import { inLanes } from '../lanes.ts'
import { withGrants } from './access.ts'
import { directoryOf, type ApplyContext } from './context.ts'

/** No such directory any more, or one that this process may not read even when it lifts what it can. */
const lostErrnos: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'])

/** Names of so many directories are known to be on the disk; then all are asked for anew. */
const maxNamed = 10_000

/**
 * Brings what was done to directories to the disk: each once, however much happened in it. A directory that somebody else made may not be
 * there after a power loss, with all that was put into it: its own name, and those above it, are synced with it, once.
 */
export class DirectorySyncs {
  readonly #context: ApplyContext
  /** Directories whose name is on the disk, with the inode that has it. */
  readonly #named = new Map<DiskPath, bigint>()
  #last: Promise<void> = Promise.resolve()

  constructor(context: ApplyContext) {
    this.#context = context
  }

  /** Resolves once everything touched before the call is on the disk. Throws SyndError `io`; the next call then tries again. */
  sync(): Promise<void> {
    // After the one before: what it has taken on may be what this caller waits for, and what it failed with is touched again.
    const next = this.#last.catch(() => undefined).then(() => this.#syncTouched())
    this.#last = next
    void next.catch(() => undefined)
    return next
  }

  async #syncTouched(): Promise<void> {
    const { touched, isDurable } = this.#context
    const waiting = new Set(touched)
    // Should this fail all of it is to be synced by the next call.
    const unnamed = isDurable ? this.#addNaming(waiting) : new Map<DiskPath, bigint>()
    touched.clear()
    if (!isDurable) return
    await inLanes([...waiting], async (path) => {
      try {
        await this.#syncOne(path)
      } catch (error) {
        touched.add(path)
        throw error
      }
    })
    if (this.#named.size > maxNamed) this.#named.clear()
    for (const [path, inode] of unnamed) this.#named.set(path, inode)
  }

  /** Adds those that hold the name of one that is synced; the directories whose names are on the disk when all are. */
  #addNaming(waiting: Set<DiskPath>): Map<DiskPath, bigint> {
    const unnamed = new Map<DiskPath, bigint>()
    // What is added is walked too, up to the root.
    for (const path of waiting) {
      if (path === '') continue
      const inode = this.#inodeOf(path)
      if (inode === undefined || this.#named.get(path) === inode) continue
      unnamed.set(path, inode)
      waiting.add(directoryOf(path))
    }
    return unnamed
  }

  #inodeOf(path: DiskPath): bigint | undefined {
    try {
      return this.#context.disk.lstat(path)?.inode
    } catch (error) {
      demandLost(error)
      return undefined
    }
  }

  async #syncOne(path: DiskPath): Promise<void> {
    const { disk } = this.#context
    try {
      try {
        await disk.syncDirectory(path)
      } catch (error) {
        if (!(error instanceof DiskError) || error.errno !== 'EACCES') throw error
        // Opened while the mode is lifted; the sync itself needs no right.
        await withGrants(this.#context, `${path}/.`, () => disk.syncDirectory(path))
      }
    } catch (error) {
      demandLost(error)
    }
  }
}

/** Throws what an error means to who waits, unless there is nothing to sync any more. */
function demandLost(error: unknown): void {
  if (!(error instanceof DiskError)) throw error
  if (lostErrnos.has(error.errno)) return
  const message = `a directory could not be synced (${error.errno})`
  throw new SyndError('io', message, { retryable: true, cause: error })
}
