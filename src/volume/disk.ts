import type { Digest } from '../core/digest.ts'

/**
 * A path below the volume's root: one char a byte (latin1), components joined by `/`, `''` for the root itself. Wider than a
 * RelativePath: the names in `.synd` are disk paths too.
 */
export type DiskPath = string

export type DiskKind = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'device'

/** lstat(2), as far as anybody here asks. */
export interface DiskStat {
  readonly kind: DiskKind
  /** All of 07777. */
  readonly mode: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly birthtimeNs: bigint
  readonly sizeBytes: number
  readonly inode: bigint
  readonly device: bigint
  readonly owner: Owner
}

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** A call that the file system refused; `errno` is its name for why: `ENOENT`, `ENOSPC`, `EXDEV`. */
export class DiskError extends Error {
  readonly errno: string

  constructor(errno: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'DiskError'
    this.errno = errno
  }
}

/** The errno of a DiskError, else null. */
export function errnoOf(error: unknown): string | null {
  return error instanceof DiskError ? error.errno : null
}

/** A file open for writing; nobody else knows of it yet, or only this program writes it. */
export interface WritableFile {
  /** What another thread of this process can write it by; null where there is no such thing. */
  readonly fd: number | null
  /** Writes all of it after what was written before; the chunk may be reused once this resolves. */
  write(chunk: Uint8Array): Promise<void>
  /** Of a new file: that many zeros after what was written before, as a hole where the file system has such. */
  skip(byteCount: number): void
  setMode(mode: number): void
  setMtime(mtimeUs: number): void
  stat(): DiskStat
  /** fsync(2): data, size, mode, owner and mtime are on the disk when it resolves. */
  sync(): Promise<void>
  close(): void
}

/** A file open for reading, whatever becomes of its name. */
export interface ReadableFile {
  stat(): DiskStat
  /** At most `maxBytes` from `position`, in `memory` where there is room; empty at the end of the file. */
  read(position: number, maxBytes: number, memory?: Uint8Array): Promise<Uint8Array>
  /** SHA-256 of everything from the start to the end, and how much that was. */
  sha256(): Promise<{ readonly digest: Digest; readonly sizeBytes: number }>
  close(): void
}

/**
 * A file system below one root. No component of a path is ever followed when it is a symlink, the last one included (G10): a
 * component that is no directory gives ENOTDIR. What is not a promise is done when the call returns. All failures are DiskErrors.
 */
export interface Disk {
  /**
   * Runs synchronous calls for the same few directories: each of these may be walked to once for all that is done so in one turn of the event loop.
   * A directory that somebody moves meanwhile is changed where it is then: as if that had been done a moment earlier.
   */
  together<T>(calls: () => T): T
  /** What the volume's own path leads to now; throws ENOENT when there is nothing. */
  lookRoot(): DiskStat
  /** Null when there is nothing, also when a parent is missing or no directory. */
  lstat(path: DiskPath): DiskStat | null
  /** `lstat` of many names in one directory; never throws. */
  lstatEach(directory: DiskPath, names: readonly string[]): readonly (DiskStat | DiskError | null)[]
  /** The names in a directory, in no order, without `.` and `..`. */
  list(directory: DiskPath): readonly string[]
  readlink(path: DiskPath): string
  /** With exactly that mode, and a set-gid bit if the directory above has one; EEXIST when anything is there. */
  mkdir(path: DiskPath, mode: number): void
  symlink(target: string, path: DiskPath): void
  /** A second name for a file or symlink; EEXIST when anything is there. */
  link(from: DiskPath, to: DiskPath): void
  /** Replaces what is at `to` without a gap. */
  rename(from: DiskPath, to: DiskPath): void
  unlink(path: DiskPath): void
  /** Unlinks many files of one directory; all are tried. Not in the event loop: to free what a file had takes the kernel longer than any other change. */
  unlinkEach(directory: DiskPath, names: readonly string[]): Promise<void>
  rmdir(path: DiskPath): void
  /** Of a file or directory. */
  chmod(path: DiskPath, mode: number): void
  setMtime(path: DiskPath, mtimeUs: number): void
  chown(path: DiskPath, owner: Owner): void
  /** A new file; EEXIST when anything is there. */
  create(path: DiskPath, mode: number): WritableFile
  /** The same, not in the event loop: while other files are synced, a creation may have to wait for the journal of the file system. */
  createMeanwhile(path: DiskPath, mode: number): Promise<WritableFile>
  /** An existing file, to be written over from its start; it is not truncated. */
  openForWriting(path: DiskPath): WritableFile
  openForReading(path: DiskPath): ReadableFile
  /** A new file with the same bytes (and the mode, but not the times), shared where the file system can; holes stay holes. */
  copy(from: DiskPath, to: DiskPath): Promise<void>
  syncFile(path: DiskPath): Promise<void>
  syncDirectory(path: DiskPath): Promise<void>
}
