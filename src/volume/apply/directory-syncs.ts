import { SyndError } from '../../core/errors.ts'
import { DiskError, type DiskPath } from '../disk.ts'
import { inLanes } from '../lanes.ts'
import { withGrants } from './access.ts'
import type { ApplyContext } from './context.ts'

/** No such directory any more, or one that this process may not read even when it lifts what it can. */
const lostErrnos: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'])

/** Brings what was done to directories to the disk: each once, however much happened in it. */
export class DirectorySyncs {
  readonly #context: ApplyContext
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
    const waiting = [...touched]
    touched.clear()
    if (!isDurable) return
    await inLanes(waiting, async (path) => {
      try {
        await this.#syncOne(path)
      } catch (error) {
        touched.add(path)
        throw error
      }
    })
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
      if (!(error instanceof DiskError)) throw error
      if (lostErrnos.has(error.errno)) return
      throw new SyndError('io', `a directory could not be synced (${error.errno})`, {
        retryable: true,
        cause: error,
      })
    }
  }
}
