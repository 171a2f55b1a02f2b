import type { DiskStat, Owner } from '../../src/volume/disk.ts'

/** A file, directory, symlink or FIFO of the memory disk; `saved` is what a power loss leaves of it at worst. */
export interface Inode {
  number: bigint
  device: bigint
  /** Links and renames stay within one mount, also where two mounts have one device (bind mounts). */
  mount: number
  readonly kind: 'file' | 'directory' | 'symlink' | 'fifo'
  mode: number
  owner: Owner
  mtimeNs: bigint
  ctimeNs: bigint
  birthtimeNs: bigint
  links: number
  /** Of a file: the first `sizeBytes` of `buffer`. */
  buffer: Uint8Array
  sizeBytes: number
  /** Of a symlink. */
  readonly target: string
  /** Of a directory. */
  entries: Map<string, Inode>
  saved: Saved
}

/** `bytes` is null when they were never synced. */
export interface Saved {
  entries: Map<string, Inode>
  bytes: Uint8Array | null
  mode: number
  owner: Owner
  mtimeNs: bigint
  ctimeNs: bigint
}

export function contentOf(inode: Inode): Uint8Array {
  return inode.buffer.subarray(0, inode.sizeBytes)
}

/** Writes into a file, past its end too. */
export function writeInto(inode: Inode, position: number, chunk: Uint8Array): void {
  const end = position + chunk.length
  if (end > inode.buffer.length) {
    const grown = new Uint8Array(Math.max(end, inode.buffer.length * 2))
    grown.set(contentOf(inode))
    inode.buffer = grown
  }
  inode.buffer.set(chunk, position)
  inode.sizeBytes = Math.max(inode.sizeBytes, end)
}

export function statOf(inode: Inode): DiskStat {
  return {
    kind: inode.kind,
    mode: inode.mode,
    mtimeNs: inode.mtimeNs,
    ctimeNs: inode.ctimeNs,
    birthtimeNs: inode.birthtimeNs,
    sizeBytes: sizeOf(inode),
    inode: inode.number,
    device: inode.device,
    owner: inode.owner,
  }
}

/** As stat(2) has it: a directory's size says nothing. */
const sizeOf = (inode: Inode): number =>
  ({
    file: inode.sizeBytes,
    symlink: inode.target.length,
    directory: 4096,
    fifo: 0,
  })[inode.kind]

/** What fsync(2) makes last: bytes and attributes, not the names (those are the directories'). */
export function saveInode(inode: Inode): void {
  inode.saved.bytes = contentOf(inode).slice()
  inode.saved.mode = inode.mode
  inode.saved.owner = inode.owner
  inode.saved.mtimeNs = inode.mtimeNs
  inode.saved.ctimeNs = inode.ctimeNs
}
