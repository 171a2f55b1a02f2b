import { accessSync, constants, lstatSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Settings } from '../config/complete.ts'
import { isWithin, placesOf, realPlaceOf } from '../config/places.ts'
import { errorCode, SyndError } from '../core/errors.ts'
import { isOwnUse, ownDirectory } from '../volume/ground/layout.ts'

type Places = Pick<Settings, 'stateDir' | 'volume'>

/**
 * Whether the state directory can be used, or made in a directory that is there; only looks. Throws `bad-settings`. What only trying would
 * show, such as a full disk or the inside of /proc, `stateDirError` puts in words.
 */
export function checkStateDir(places: Places): void {
  const { stateDir, volume } = places
  // The default is a part of the volume, and looked at with it.
  if (stateDir === join(volume, ownDirectory)) return
  demandUnused(places)
  const errno = errnoOfLook(() => demandDirectory(places))
  if (errno === null) return demandWritable(places, stateDir)
  if (errno === 'ENOTDIR') throw unusable(places, 'is below something that is no directory')
  if (errno !== 'ENOENT') throw unusable(places, `cannot be looked at by ${whoami()} (${errno})`)
  if (errnoOfLook(() => lstatSync(stateDir)) === null)
    throw unusable(places, 'is a symlink to nothing')
  demandParent(places)
}

/** What the store failed with, as a SyndError that names the setting where that is what must be mended. */
export function stateDirError(error: unknown, places: Places): unknown {
  const code = errorCode(error)
  if (code === 'volume-locked') {
    const message = `SYND_STATE_DIR: ${JSON.stringify(places.stateDir)} is in use by another process, which has its index open; a peer has one of its own: stop the other, or set SYND_STATE_DIR to another directory`
    return new SyndError(code, message, { cause: error })
  }
  if (code === 'volume-missing' || code === 'volume-unwritable')
    return unusable(places, `cannot be made or written (${reasonOf(error)})`, error)
  return error
}

/** In Synd's own directories the index would be swept away as a leftover of the last run, or be in the way. */
function demandUnused(places: Places): void {
  const own = join(realPlaceOf(places.volume), ownDirectory)
  const inUse = placesOf(places.stateDir).find(
    (place) => isWithin(place, own) && isOwnUse(relative(own, place)),
  )
  if (inUse === undefined) return
  const leading = inUse === places.stateDir ? '' : ` (it leads to ${inUse})`
  throw unusable(places, `is in what Synd uses itself in ${ownDirectory}${leading}`)
}

function demandDirectory(places: Places): void {
  if (!statSync(places.stateDir).isDirectory()) throw unusable(places, 'is no directory')
}

function demandWritable(places: Places, path: string): void {
  const errno = errnoOfLook(() => accessSync(path, constants.W_OK | constants.X_OK))
  if (errno === null) return
  const what = path === places.stateDir ? 'cannot be' : `does not exist, and ${path} cannot be`
  throw unusable(places, `${what} written by ${whoami()} (${errno})`)
}

/** One directory is made and not those above it: where a mount is missing the index must not be made in its place. */
function demandParent(places: Places): void {
  const parent = dirname(places.stateDir)
  // Made by the run before it looks for the index.
  const isOwn = parent === join(places.volume, ownDirectory)
  const errno = errnoOfLook(() => statSync(parent))
  if (errno === 'ENOENT' && isOwn) return
  if (errno !== null) throw unusable(places, `cannot be made: there is no ${parent} (${errno})`)
  demandWritable(places, parent)
}

/** The errno that a look fails with, null when it does not. */
function errnoOfLook(look: () => unknown): string | null {
  try {
    look()
    return null
  } catch (error) {
    if (error instanceof Error && 'syscall' in error && 'code' in error) return String(error.code)
    throw error
  }
}

function unusable({ stateDir, volume }: Places, problem: string, cause?: unknown): SyndError {
  const message = `SYND_STATE_DIR: ${JSON.stringify(stateDir)} ${problem}; expected a directory that Synd may write, or a name for one in a directory that is there: correct it, or leave it out for the default (${join(volume, ownDirectory)})`
  return new SyndError('bad-settings', message, { cause })
}

/** The system's word for it, without the paths of Synd's own files. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof Error)) return String(error)
  const isErrno = 'errno' in cause && 'code' in cause
  return isErrno ? String(cause.code) : cause.message
}

function whoami(): string {
  return `uid ${process.getuid?.() ?? '?'}`
}
