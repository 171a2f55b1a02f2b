import { contentOf, saveInode, type Inode } from './memory-inode.ts'

/** One entry of a directory set to an inode, or taken away. */
export interface EntryChange {
  readonly directory: Inode
  readonly name: string
  readonly inode: Inode | null
}

/** One link, unlink or rename: all of its changes last or none. */
interface Step {
  readonly changes: readonly EntryChange[]
  /** Steps that share one of these happen in their order: the entries they change and the inodes whose link count they change. */
  readonly keys: readonly unknown[]
}

/**
 * What a disk has not yet made durable. A directory entry lasts once its directory was synced; what was not synced may be lost in
 * any combination that keeps each step whole and steps upon one entry or one inode in order (what happened in a new directory
 * comes after that directory), which is what file systems with a
 * journal promise at most. Bytes last once their file was synced.
 */
export class Journal {
  #steps: Step[] = []
  readonly #mentions = new Map<Inode, number>()

  /** Notes changes that were just made to the living tree. */
  record(changes: readonly EntryChange[], inodes: readonly Inode[]): void {
    const entries = changes.map(({ directory, name }) => `${directory.number}/${name}`)
    this.#steps.push({ changes, keys: [...entries, ...inodes] })
    for (const inode of inodes) this.#mentions.set(inode, (this.#mentions.get(inode) ?? 0) + 1)
  }

  /** Whether some unsynced step concerns the inode: its number is not free for another. */
  mentions(inode: Inode): boolean {
    return this.#mentions.has(inode)
  }

  /** fsync(2) of a directory: what changed in it lasts, and whatever must have come before that. */
  syncDirectory(directory: Inode): void {
    const needed = new Set<unknown>()
    const chosen = new Set<Step>()
    for (const step of this.#steps.toReversed()) {
      const isOfIt = step.changes.some((change) => change.directory === directory)
      if (!isOfIt && !step.keys.some((key) => needed.has(key))) continue
      chosen.add(step)
      for (const key of step.keys) needed.add(key)
    }
    this.#save(chosen)
    this.#steps = this.#steps.filter((step) => !chosen.has(step))
    saveInode(directory)
  }

  /** Everything that was done so far lasts. */
  syncAll(root: Inode): void {
    this.#save(new Set(this.#steps))
    this.#steps = []
    for (const inode of reachable(root)) saveInode(inode)
  }

  /** Power loss: of each thing that was not synced, some or none of it stays; the tree below `root` is then what lasted. */
  lose(root: Inode, random: () => number): void {
    const lost = new Set<unknown>()
    const kept = new Set<Step>()
    const share = [0, 0.5, 1][Math.floor(random() * 3)] ?? 0
    for (const step of this.#steps) {
      const isInLost = step.changes.some(({ directory }) => lost.has(directory))
      if (random() < share && !isInLost && !step.keys.some((key) => lost.has(key))) kept.add(step)
      else for (const key of step.keys) lost.add(key)
    }
    this.#save(kept)
    this.#steps = []
    this.#mentions.clear()
    fallBack(root, random, share)
  }

  #save(chosen: ReadonlySet<Step>): void {
    for (const step of this.#steps) {
      if (!chosen.has(step)) continue
      for (const { directory, name, inode } of step.changes) {
        if (inode === null) directory.saved.entries.delete(name)
        else directory.saved.entries.set(name, inode)
      }
      for (const key of step.keys) if (isInode(key)) this.#forget(key)
    }
  }

  #forget(inode: Inode): void {
    const left = (this.#mentions.get(inode) ?? 0) - 1
    if (left > 0) this.#mentions.set(inode, left)
    else this.#mentions.delete(inode)
  }

  /** The same for a copy of the disk, inode by inode. */
  clone(copyOf: (inode: Inode) => Inode): Journal {
    const journal = new Journal()
    for (const { changes, keys } of this.#steps) {
      journal.record(
        changes.map(({ directory, name, inode }) => {
          return {
            directory: copyOf(directory),
            name,
            inode: inode === null ? null : copyOf(inode),
          }
        }),
        keys.filter(isInode).map(copyOf),
      )
    }
    return journal
  }
}

/** Every inode below `root` once, with `root`. */
export function reachable(root: Inode): Set<Inode> {
  const found = new Set<Inode>([root])
  for (const inode of found) for (const child of inode.entries.values()) found.add(child)
  return found
}

function isInode(key: unknown): key is Inode {
  return typeof key === 'object'
}

/** Attributes that were not synced stay only where every step did: journals keep their order. */
function fallBack(root: Inode, random: () => number, share: number): void {
  const found = new Set<Inode>([root])
  for (const inode of found) {
    inode.entries = new Map(inode.saved.entries)
    inode.links = 0
    for (const child of inode.entries.values()) found.add(child)
  }
  for (const inode of found) {
    for (const child of inode.entries.values()) child.links++
    loseBytes(inode, random)
    if (share < 1 || random() < 0.5) {
      inode.mode = inode.saved.mode
      inode.owner = inode.saved.owner
      inode.mtimeNs = inode.saved.mtimeNs
      inode.ctimeNs = inode.saved.ctimeNs
    }
    saveInode(inode)
  }
}

/** Unsynced bytes stay, go back, or the file has its new length and holds zeros after some of them. */
function loseBytes(inode: Inode, random: () => number): void {
  const { bytes } = inode.saved
  if (inode.kind !== 'file' || (bytes !== null && equal(bytes, contentOf(inode)))) return
  const fate = random()
  if (fate < 0.4) return
  if (fate < 0.7) {
    inode.buffer = (bytes ?? new Uint8Array()).slice()
    inode.sizeBytes = inode.buffer.length
    return
  }
  inode.buffer = contentOf(inode).slice()
  inode.buffer.fill(0, Math.floor(random() * inode.sizeBytes))
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
