import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

import { SyndError } from '../core/errors.ts'

/**
 * Makes an empty file for SQLite at `path`, and the directory above it, where there are none: 0700 and 0600 whatever
 * the umask, because the index names every file of the volume. SQLite gives its log the mode of its database.
 */
export function makeStateFile(path: string): void {
  makeDirectory(dirname(path))
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return makeFile(path)
  if (!stat.isFile()) throw new SyndError('io', `${path} is not a file`)
  // Kubernetes gives all files of a volume to the group at every mount.
  if ((stat.mode & 0o777) !== fileMode && stat.uid === process.geteuid?.())
    chmodSync(path, fileMode)
  // SQLite would open it for reading only and fail later, in other words.
  accessSync(path, constants.W_OK)
  accessSync(dirname(path), constants.W_OK)
}

/**
 * Leaves word beside an index that it is damaged, so that the next start sets it aside also where opening it would not
 * show the damage, and finishes a setting aside that was interrupted.
 */
export function markDamaged(path: string): void {
  writeFileSync(markerOf(path), '', { mode: fileMode })
}

export function isMarkedDamaged(path: string): boolean {
  return existsSync(markerOf(path))
}

/** Renames a damaged index, with its log, to `<path>.damaged-<UTC time>`, where it can be looked at; gives the new name. */
export function setAside(path: string, nowMs: number): string {
  // Of a database without its log, or a log without its database, the next start would believe one half.
  markDamaged(path)
  syncDirectoryOf(path)
  const name = freeName(`${path}.damaged-${formatUtc(nowMs)}`)
  for (const suffix of ['-wal', '-shm', '-journal', ''])
    if (existsSync(path + suffix)) renameSync(path + suffix, name + suffix)
  syncDirectoryOf(path)
  rmSync(markerOf(path))
  return name
}

const directoryMode = 0o700
const fileMode = 0o600

/** Not its parents: where the volume itself is missing none must be made. */
function makeDirectory(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return
  mkdirSync(path, directoryMode)
  chmodSync(path, directoryMode)
  syncDirectoryOf(path)
}

/** Exclusively: closing a file drops the locks that this process has on it, and on this one it cannot have any. */
function makeFile(path: string): void {
  const file = openSync(path, 'wx', fileMode)
  try {
    fchmodSync(file, fileMode)
  } finally {
    closeSync(file)
  }
}

function markerOf(path: string): string {
  return `${path}.is-damaged`
}

function freeName(name: string): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}.${n}`
    if (!existsSync(candidate) && !existsSync(`${candidate}-wal`)) return candidate
  }
}

/** `20261123T145301Z` */
function formatUtc(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+|[-:]/g, '')
}

/** What renames and creations in the directory of `path` have done outlasts a power loss. */
function syncDirectoryOf(path: string): void {
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
