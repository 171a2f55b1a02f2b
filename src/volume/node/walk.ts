import { closeSync, constants, openSync } from 'node:fs'
import type { DiskPath } from '../disk.ts'

/** Of the kernel's asm-generic/fcntl.h, not in Node: a reference to a place, without the right to read or write there. */
export const O_PATH = 0o10000000

const directoryFlags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** A place that `node:fs` takes: text where it is ASCII, bytes elsewhere. */
export type Place = string | Buffer

/**
 * Calls `use` with the place of `path`'s last component in its directory. Node has no openat(2), but `/proc/self/fd/<fd>/<name>`
 * is the same: each directory on the way is opened by one name in the one before, as a directory and following no link, so a
 * component that is swapped for a symlink at any moment ends the walk (ENOTDIR) and never leads elsewhere. The last component is
 * `use`'s own to not follow. Errors are those of `node:fs`.
 */
export function withPlace<T>(rootFd: number, path: DiskPath, use: (place: Place) => T): T {
  const slash = path.lastIndexOf('/')
  if (slash < 0) return use(placeIn(rootFd, path === '' ? '.' : path))
  return withDirectory(rootFd, path.slice(0, slash), (fd) =>
    use(placeIn(fd, path.slice(slash + 1))),
  )
}

/** Calls `use` with a descriptor of the directory, open for as long as the call lasts and good for `placeIn` only. */
export function withDirectory<T>(rootFd: number, path: DiskPath, use: (fd: number) => T): T {
  if (path === '') return use(rootFd)
  const fd = openDirectory(rootFd, path)
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}

/** A descriptor of the directory that the caller closes. */
export function openDirectory(rootFd: number, path: DiskPath): number {
  let fd = rootFd
  for (const name of path.split('/')) {
    try {
      const next = openSync(placeIn(fd, name), directoryFlags)
      if (fd !== rootFd) closeSync(fd)
      fd = next
    } catch (error) {
      if (fd !== rootFd) closeSync(fd)
      throw error
    }
  }
  return fd
}

/** The place of `name` in the directory that `fd` is open on. */
export function placeIn(fd: number, name: string): Place {
  const place = `/proc/self/fd/${fd}/${name}`
  return /^[\x00-\x7f]*$/.test(name) ? place : Buffer.from(place, 'latin1')
}

/** The place of what `fd` itself is open on. */
export function placeOf(fd: number): string {
  return `/proc/self/fd/${fd}`
}
