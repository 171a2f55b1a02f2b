import { DatabaseSync } from 'node:sqlite'
import { SyndError } from '../../core/errors.ts'
import { errnoOf, type Disk } from '../disk.ts'
import { ownDirectory } from './layout.ts'

const lockPath = `${ownDirectory}/lock`
const lockMode = 0o600

/**
 * Keeps other processes off the volume: an open exclusive transaction on the SQLite file `.synd/lock`. The kernel drops it with the
 * process, however that ends; no process id is written down, which in a container is always 1.
 */
export class VolumeLock {
  readonly #disk: Disk
  readonly #rootPath: string
  #database: DatabaseSync | null = null

  constructor({ disk, rootPath }: { readonly disk: Disk; readonly rootPath: string }) {
    this.#disk = disk
    this.#rootPath = rootPath
  }

  /** Throws SyndError `volume-locked` when another process has the volume, `volume-unwritable` when it cannot be locked at all. */
  start(): void {
    const said = `SYND_VOLUME: ${JSON.stringify(this.#rootPath)}`
    const there = this.#disk.lstat(lockPath)
    if (there !== null && there.kind !== 'file') {
      const message = `${said} has a ${there.kind} at ${lockPath}; expected a file that Synd makes itself: remove it`
      throw new SyndError('volume-unwritable', message)
    }
    let database: DatabaseSync | null = null
    try {
      this.#closeToOthers(there)
      database = new DatabaseSync(`${this.#rootPath}/${lockPath}`)
      database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
      this.#database = database
    } catch (cause) {
      database?.close()
      if (isBusy(cause)) {
        const message = `${said} is in use by another Synd process; a volume has one: stop the other, or set SYND_VOLUME to another directory`
        throw new SyndError('volume-locked', message, { cause })
      }
      const reason = cause instanceof Error ? cause.message : String(cause)
      const message = `${said}: ${lockPath} cannot be locked (${reason}); expected a file system with working locks that this user may write`
      throw new SyndError('volume-unwritable', message, { cause })
    }
  }

  /** SQLite would leave it to the umask. Of two processes that make it at once, one makes it. */
  #closeToOthers(there: { readonly mode: number } | null): void {
    try {
      if (there === null) this.#disk.create(lockPath, lockMode).close()
      else if ((there.mode & 0o777) !== lockMode) this.#disk.chmod(lockPath, lockMode)
    } catch (error) {
      const isMade = errnoOf(error) === 'EEXIST'
      // A file system without modes refuses to change them.
      const isWithoutModes = errnoOf(error) === 'EPERM'
      if (!isMade && !isWithoutModes) throw error
    }
  }

  /** Lets another process have the volume. */
  stop(): void {
    this.#database?.close()
    this.#database = null
  }
}

/** SQLITE_BUSY, with any of its extensions in the higher bits. */
function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    'errcode' in error &&
    typeof error.errcode === 'number' &&
    (error.errcode & 0xff) === 5
  )
}
