import { closeSync, constants, openSync } from 'node:fs'
import type { DiskPath } from '../disk.ts'

/** Of the kernel's asm-generic/fcntl.h, not in Node: a reference to a place, without the right to read or write there. */
export const O_PATH = 0o10000000

/** A place that `node:fs` takes: text where it is ASCII, bytes elsewhere. */
export type Place = string | Buffer

const directoryFlags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** Each is a descriptor; more than what one batch of changes touches in turn. */
const maxOpen = 16

/**
 * Finds places below a root. Node has no openat(2), but `/proc/self/fd/<fd>/<name>` is the same: each directory on the way is opened by
 * one name in the one before, as a directory and following no link, so a component that is swapped for a symlink at any moment ends
 * the walk (ENOTDIR) and never leads elsewhere. The last component is the caller's own to not follow. Errors are those of `node:fs`.
 *
 * Each call walks anew. Within `together` a directory stays open once it was walked to, until the turn of the event loop ends: the changes of one
 * turn are made in the same few.
 */
export class Walk {
  readonly #rootFd: number
  #open = new Map<DiskPath, number>()
  #isTogether = false
  #endOfTurn: NodeJS.Immediate | null = null

  constructor({ rootFd }: { readonly rootFd: number }) {
    this.#rootFd = rootFd
  }

  /** Calls in here may take a directory for where it was earlier in this turn. */
  together<T>(calls: () => T): T {
    if (this.#isTogether) return calls()
    this.#isTogether = true
    this.#endOfTurn ??= setImmediate(() => this.stop())
    try {
      return calls()
    } finally {
      this.#isTogether = false
    }
  }

  /** One call on the file system: places and descriptors that `call` gets from here are good until it returns. */
  once<T>(call: () => T): T {
    if (this.#isTogether) {
      if (this.#open.size >= maxOpen) this.forget('')
      return call()
    }
    const kept = this.#open
    this.#open = new Map()
    try {
      return call()
    } finally {
      this.forget('')
      this.#open = kept
    }
  }

  /** The place of `path`'s last component in its directory; within `once`. */
  place(path: DiskPath): Place {
    const slash = path.lastIndexOf('/')
    if (slash < 0) return placeIn(this.#rootFd, path === '' ? '.' : path)
    return placeIn(this.directory(path.slice(0, slash)), path.slice(slash + 1))
  }

  /** A descriptor of the directory, for `placeIn` and `placeOf` only; within `once`. */
  directory(path: DiskPath): number {
    if (path === '') return this.#rootFd
    const known = this.#open.get(path)
    if (known !== undefined) return known
    const fd = this.openDirectory(path)
    this.#open.set(path, fd)
    return fd
  }

  /** A descriptor of the directory that the caller closes. */
  openDirectory(path: DiskPath): number {
    const { start, from } = this.#nearest(path)
    let fd = start
    for (const name of path.slice(from).split('/')) {
      const above = fd
      try {
        fd = openSync(placeIn(above, name), directoryFlags)
      } finally {
        if (above !== start) closeSync(above)
      }
    }
    return fd
  }

  /** What is at or below `path` was moved or removed: it is walked to anew. */
  forget(path: DiskPath): void {
    for (const [directory, fd] of this.#open) {
      if (path !== '' && directory !== path && !directory.startsWith(`${path}/`)) continue
      this.#open.delete(directory)
      closeSync(fd)
    }
  }

  /** Closes what is open; it may be used again. */
  stop(): void {
    if (this.#endOfTurn !== null) clearImmediate(this.#endOfTurn)
    this.#endOfTurn = null
    this.forget('')
  }

  /** The closest directory above that is open already, and where the rest of the path begins. */
  #nearest(path: DiskPath): { readonly start: number; readonly from: number } {
    if (this.#open.size > 0) {
      for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
        const start = this.#open.get(path.slice(0, slash))
        if (start !== undefined) return { start, from: slash + 1 }
      }
    }
    return { start: this.#rootFd, from: 0 }
  }
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
