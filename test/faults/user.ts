import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { show } from '../e2e/tree.ts'
import type { Record } from './record.ts'
import { valueOf } from './snapshot.ts'
import type { Deed, WriteStyle } from './steps.ts'

/** One write of so much is all there or not at all for who reads. */
const atomicBytes = 4096

/** Somebody works in one member's volume, and everything is recorded: what was seen before it was replaced, and what was left. */
export class User {
  readonly #name: string
  readonly #volume: string
  readonly #record: Record
  readonly #nextNumber: () => number
  #isStill = false

  constructor(parts: {
    readonly name: string
    readonly volume: string
    readonly record: Record
    readonly nextNumber: () => number
  }) {
    this.#name = parts.name
    this.#volume = parts.volume
    this.#record = parts.record
    this.#nextNumber = parts.nextNumber
  }

  /** Does it, as far as what is there allows. `isStill`: nobody else changes the volume meanwhile. */
  do(deed: Deed, { isStill }: { readonly isStill: boolean }): void {
    this.#isStill = isStill
    try {
      this.#do(deed)
    } catch (error) {
      // What was there a moment ago is not, or something else is: the user finds so, and leaves it.
      if (!isOvertaken(error)) throw error
    }
  }

  #do(deed: Deed): void {
    switch (deed.kind) {
      case 'write':
        return this.#write(deed.path, deed)
      case 'burst':
        this.#change(deed.directory, (at) => mkdirSync(at))
        for (let n = 0; n < deed.count; n++) this.#create(`${deed.directory}/${n}`, 10 * (n + 1))
        return
      case 'edit-copy': {
        const copies = this.#below('').filter((path) => path.includes('.sync-conflict-'))
        const path = copies[deed.which % copies.length]
        if (path !== undefined) this.#write(path, { style: 'truncate', sizeBytes: 100 })
        return
      }
      case 'remove':
        return this.#remove(deed.path)
      case 'rename':
        return this.#rename(deed.from, deed.to)
      case 'mkdir':
        return this.#change(deed.path, (at) => mkdirSync(at))
      case 'symlink': {
        const target = `nowhere ${this.#nextNumber()}`
        this.#change(deed.path, (at) => symlinkSync(target, at))
        return this.#wrote(`l ${target}`, deed.path)
      }
      case 'chmod': {
        const kind = this.#kind(deed.path)
        const mode = kind === 'directory' ? deed.mode | 0o700 : deed.mode
        if (kind === 'file' || kind === 'directory')
          this.#change(deed.path, (at) => chmodSync(at, mode))
        return
      }
      case 'touch':
        if (this.#kind(deed.path) === 'file')
          this.#change(deed.path, (at) => lutimesSync(at, deed.mtimeMs / 1000, deed.mtimeMs / 1000))
        return
    }
  }

  #write(path: string, how: { readonly style: WriteStyle; readonly sizeBytes: number }): void {
    const kind = this.#kind(path)
    if (kind === null) return this.#create(path, how.sizeBytes)
    if (kind === 'symlink' && this.#isStill) {
      this.#remove(path)
      return this.#create(path, how.sizeBytes)
    }
    if (kind === 'file') this.#edit(path, how)
  }

  #create(path: string, sizeBytes: number): void {
    const fd = openSync(this.#at(path), 'wx')
    try {
      this.#fill(fd, { path, content: this.#content(path, sizeBytes), position: 0 })
    } finally {
      closeSync(fd)
    }
    this.#leave(path)
  }

  /** Through one descriptor: what is replaced is what was read, whatever happens to the name meanwhile. */
  #edit(
    path: string,
    { style, sizeBytes }: { readonly style: WriteStyle; readonly sizeBytes: number },
  ): void {
    const fd = openSync(this.#at(path), constants.O_RDWR | constants.O_NOFOLLOW)
    try {
      const old = readFileSync(fd)
      if (style === 'replace') {
        this.#replace(path, sizeBytes)
      } else if (style === 'append') {
        const added = this.#content(path, sizeBytes)
        writeSync(fd, added, 0, added.length, old.length)
        this.#filled(fd, path, Buffer.concat([old, added]))
      } else if (style === 'in-place' && old.length <= atomicBytes) {
        const length = Math.min(atomicBytes, Math.max(old.length, sizeBytes))
        const content = this.#content(path, length)
        this.#fill(fd, { path, content, position: 0 })
      } else {
        ftruncateSync(fd, 0)
        this.#fill(fd, { path, content: this.#content(path, sizeBytes), position: 0 })
      }
      this.#record.superseded(digestValue(old))
    } finally {
      closeSync(fd)
    }
    this.#leave(path)
  }

  /** As editors save: another file takes the name. */
  #replace(path: string, sizeBytes: number): void {
    const draft = `${path}~${this.#nextNumber()}`
    this.#create(draft, sizeBytes)
    this.#rename(draft, path)
  }

  #fill(
    fd: number,
    { path, content, position }: { path: string; content: Buffer; position: number },
  ): void {
    writeSync(fd, content, 0, content.length, position)
    this.#filled(fd, path, content)
  }

  /** What went into a file that had just lost its name is not counted on: no name leads there. */
  #filled(fd: number, path: string, content: Buffer): void {
    const value = digestValue(content)
    this.#wrote(value, path)
    const named = lstatSync(this.#at(path), { throwIfNoEntry: false })
    if (named?.ino !== fstatSync(fd).ino) this.#record.superseded(value)
  }

  #remove(path: string): void {
    const kind = this.#kind(path)
    if (kind === null) return
    if (kind === 'directory') {
      for (const name of readdirSync(this.#at(path))) this.#remove(`${path}/${name}`)
      this.#change(path, (at) => rmdirSync(at))
    } else {
      const value = this.#valueAt(path)
      unlinkSync(this.#at(path))
      if (value !== null) this.#record.superseded(value)
      this.#leave(path)
    }
    this.#raced(path)
  }

  #rename(from: string, to: string): void {
    const [fromKind, toKind] = [this.#kind(from), this.#kind(to)]
    if (fromKind === null || toKind === 'directory' || `${to}/`.startsWith(`${from}/`)) return
    if (fromKind === 'directory' && toKind !== null) return
    const before = [from, ...this.#below(`${from}/`)]
    const replaced = toKind === null ? null : this.#valueAt(to)
    renameSync(this.#at(from), this.#at(to))
    if (replaced !== null) this.#record.superseded(replaced)
    this.#raced(to)
    for (const path of before) this.#leave(path)
    for (const path of [to, ...this.#below(`${to}/`)]) {
      this.#leave(path)
      const value = this.#valueAt(path)
      if (value !== null) this.#record.moved(value, { path, member: this.#name })
    }
  }

  #change(path: string, change: (at: string) => void): void {
    change(this.#at(path))
    this.#leave(path)
  }

  #raced(path: string): void {
    if (!this.#isStill) this.#record.raced(path, this.#name)
  }

  #leave(path: string): void {
    const shown = show(this.#at(path))
    const inode = lstatSync(this.#at(path), { throwIfNoEntry: false })?.ino
    const seen = shown === null || inode === undefined ? null : { shown, inode }
    this.#record.leave(path, { member: this.#name, seen })
  }

  #wrote(value: string, path: string): void {
    this.#record.wrote(value, { path, member: this.#name }, `${value} by ${this.#name} to ${path}`)
  }

  #valueAt(path: string): string | null {
    const kind = this.#kind(path)
    if (kind === 'symlink') return `l ${readlinkSync(this.#at(path))}`
    if (kind !== 'file') return null
    return valueOf(show(this.#at(path)) ?? 'd')
  }

  #kind(path: string): 'file' | 'directory' | 'symlink' | null {
    const stat = lstatSync(this.#at(path), { throwIfNoEntry: false })
    if (stat === undefined || !this.#hasDirectory(path)) return null
    return stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'file'
  }

  #hasDirectory(path: string): boolean {
    const stat = lstatSync(dirname(this.#at(path)), { throwIfNoEntry: false })
    return stat?.isDirectory() === true
  }

  /** Every path that begins so, but not of `.synd`; directories before what is in them. */
  #below(prefix: string): string[] {
    const directory = this.#at(prefix)
    if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return []
    return readdirSync(directory).flatMap((name) => {
      const path = prefix + name
      return path === '.synd' ? [] : [path, ...this.#below(`${path}/`)]
    })
  }

  #at(path: string): string {
    return join(this.#volume, path)
  }

  /** Unlike any other; at least its first line. */
  #content(path: string, sizeBytes: number): Buffer {
    const line = `${this.#nextNumber()} by ${this.#name} to ${path}\n`
    return Buffer.from(
      line
        .repeat(Math.ceil(sizeBytes / line.length) || 1)
        .slice(0, Math.max(sizeBytes, line.length)),
    )
  }
}

function digestValue(content: Buffer): string {
  return `f ${createHash('sha256').update(content).digest('hex')}`
}

function isOvertaken(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return ['ENOENT', 'ENOTDIR', 'EEXIST', 'EISDIR', 'ENOTEMPTY', 'ELOOP', 'EINVAL'].includes(
    String(error.code),
  )
}
