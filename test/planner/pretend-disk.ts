import type { Digest } from '../../src/core/digest.ts'
import type { LiveEntry } from '../../src/core/entry.ts'
import type { Finding } from '../../src/core/detect.ts'
import type { Look, Observation } from '../../src/core/observation.ts'
import { isBelow, parentOf, type RelativePath } from '../../src/core/relative-path.ts'
import type { Applied, Change, Stage, Volume } from '../../src/engine/ports.ts'
import { digest } from '../core/build.ts'
import { Failure } from './failure.ts'
import type { Node, Tree } from './tree.ts'

interface OnDisk {
  readonly node: Node
  readonly observation: Observation
}

/** A stage that is always whole. */
export class PretendStage implements Stage {
  readonly content: number

  constructor(content: number) {
    this.content = content
  }

  async write(): Promise<void> {}
  async finish(): Promise<void> {}
  async discard(): Promise<void> {}
}

/**
 * A disk on which every step succeeds that a file system can do, and where one that it cannot do is a bug of the plan: nothing but the peer
 * changes it while the peer works, so the disk is always as the index says.
 */
export class PretendDisk implements Volume {
  readonly keepsModes = true
  readonly keepsSymlinks = true
  readonly #onDisk = new Map<RelativePath, OnDisk>()
  /** Contents of files whose last one was removed in this batch. */
  readonly #removed = new Set<number>()
  #batch: Parameters<PretendDisk['beginBatch']>[0] = { emptied: new Set(), isFresh: true }
  #changes = 0

  get tree(): Tree {
    return new Map([...this.#onDisk].map(([path, { node }]) => [path, node]))
  }

  /** Whether a file or link with that content is here. */
  hasContent(kind: Node['kind'], content: number): boolean {
    for (const { node } of this.#onDisk.values()) {
      if (node.kind === kind && node.kind !== 'directory' && node.content === content) return true
    }
    return false
  }

  /** A user's doing: what is another than before is seen as changed. */
  become(tree: Tree): void {
    for (const path of this.#onDisk.keys()) if (!tree.has(path)) this.#onDisk.delete(path)
    for (const [path, node] of tree) {
      if (this.#onDisk.get(path)?.node !== node) this.#put(path, node)
    }
  }

  /** What a scan finds. */
  *findings(): Generator<Finding> {
    for (const [path, { node, observation }] of this.#onDisk) {
      const content = node.kind === 'directory' ? null : node.content
      yield {
        path,
        observation,
        digest: content === null ? null : digest(content),
        target: node.kind === 'symlink' ? `to-${node.content}` : null,
      }
    }
  }

  has(path: RelativePath): boolean {
    return this.#onDisk.has(path)
  }

  /** `emptied`: directories below which the batch removes something; what takes their place comes last. */
  beginBatch(batch: { emptied: ReadonlySet<RelativePath>; isFresh: boolean }): void {
    this.#removed.clear()
    this.#batch = batch
  }

  async apply(change: Change): Promise<Applied> {
    switch (change.kind) {
      case 'publish': {
        const { entry, stage, expected } = change
        if (!(stage instanceof PretendStage)) throw new Error('the stage is of another volume')
        const { content } = stage
        if (digest(content) !== entry.digest)
          throw new Failure('plan', `${entry.path} gets other bytes`)
        if (
          this.#batch.isFresh &&
          this.#removed.has(content) &&
          !this.#batch.emptied.has(entry.path)
        )
          throw new Failure('plan', `${entry.path} comes after its content was removed`)
        return this.#place(entry, expected, { kind: 'file', content, ...metadataOf(entry) })
      }
      case 'make': {
        const { entry, expected } = change
        if (entry.kind === 'file') throw new Failure('plan', `${entry.path} is made without bytes`)
        if (entry.kind === 'symlink')
          return this.#place(entry, expected, {
            kind: 'symlink',
            content: contentOf(entry.digest),
            ...metadataOf(entry),
          })
        return this.#place(entry, expected, { kind: 'directory', ...metadataOf(entry) })
      }
      case 'set-metadata': {
        const { entry, expected } = change
        this.#expect(entry.path, expected)
        const { node } = this.#at(entry.path)
        return this.#put(entry.path, { ...node, ...metadataOf(entry) })
      }
      case 'move': {
        const { entry, from } = change
        this.#expect(from.path, from.expected)
        const { node } = this.#at(from.path)
        if (node.kind !== 'file' || digest(node.content) !== entry.digest)
          throw new Failure('plan', `${entry.path} gets other bytes`)
        const placed = this.#place(entry, null, { ...node, ...metadataOf(entry) })
        this.#onDisk.delete(from.path)
        return placed.kind === 'applied' ? { ...placed, hold: 'moved' } : placed
      }
      case 'remove': {
        const { path, expected } = change
        this.#expect(path, expected)
        this.#expectEmpty(path)
        const { node } = this.#at(path)
        this.#onDisk.delete(path)
        if (node.kind === 'file' && !this.hasContent('file', node.content))
          this.#removed.add(node.content)
        return { kind: 'applied', observation: null, hold: null, displaced: false }
      }
    }
  }

  async stageFromLocal(path: RelativePath, expected: { digest: Digest }): Promise<Stage | null> {
    const { node } = this.#at(path)
    if (node.kind !== 'file' || digest(node.content) !== expected.digest)
      throw new Failure('plan', `a copy is to be made of ${path}, which is another file`)
    return new PretendStage(node.content)
  }

  halt(): null {
    return null
  }

  async syncStages(): Promise<void> {}
  prepareHolds(): readonly string[] {
    return []
  }
  noteNames(): void {}
  async syncDirectories(): Promise<void> {}
  async releaseHolds(): Promise<void> {}
  sweep(): void {}

  heldIds(): readonly string[] {
    return []
  }

  look(path: RelativePath): Look {
    const found = this.#onDisk.get(path)
    return found === undefined
      ? { kind: 'absent' }
      : { kind: 'present', observation: found.observation }
  }

  lookEach(): never {
    return neverAsked('lookEach')
  }

  list(): never {
    return neverAsked('list')
  }

  readIgnoreRules(): never {
    return neverAsked('readIgnoreRules')
  }

  digest(): never {
    return neverAsked('digest')
  }

  putAside(): never {
    return neverAsked('putAside')
  }

  setDirectoryTime(): void {}

  asideCount(): number {
    return 0
  }

  createStage(): never {
    return neverAsked('createStage')
  }

  stageFromHold(): never {
    return neverAsked('stageFromHold')
  }

  /** Only what was moved has one. */
  lookHold(): Look {
    return { kind: 'absent' }
  }

  #place(entry: LiveEntry, expected: Observation | null, node: Node): Applied {
    const { path } = entry
    const parent = parentOf(path)
    if (parent !== null && this.#onDisk.get(parent)?.node.kind !== 'directory')
      throw new Failure('plan', `${path} is put where no directory is`)
    this.#expect(path, expected)
    if (node.kind !== 'directory') this.#expectEmpty(path)
    return this.#put(path, node)
  }

  #expect(path: RelativePath, expected: Observation | null): void {
    if ((this.#onDisk.get(path)?.observation ?? null) !== expected)
      throw new Failure('plan', `${path} is not as the index says`)
  }

  #expectEmpty(path: RelativePath): void {
    for (const other of this.#onDisk.keys()) {
      if (isBelow(other, path)) throw new Failure('plan', `${path} goes before ${other}`)
    }
  }

  #at(path: RelativePath): OnDisk {
    const found = this.#onDisk.get(path)
    if (found === undefined) throw new Failure('plan', `${path} is not there`)
    return found
  }

  #put(path: RelativePath, node: Node): Applied {
    const count = BigInt(++this.#changes)
    const observation: Observation = {
      kind: node.kind,
      mode: node.mode,
      mtimeNs: BigInt(node.mtimeUs) * 1000n,
      ctimeNs: count,
      sizeBytes: node.kind === 'file' ? sizeBytes : 0,
      inode: count,
      device: 1n,
    }
    this.#onDisk.set(path, { node, observation })
    return { kind: 'applied', observation, hold: null, displaced: false }
  }
}

/** Not empty, so that a file's bytes have to be somewhere. */
const sizeBytes = 10

function metadataOf({ mode, mtimeUs }: LiveEntry): { mode: number; mtimeUs: number } {
  return { mode, mtimeUs }
}

function contentOf(text: Digest): number {
  return Number.parseInt(text, 16)
}

function neverAsked(call: string): never {
  throw new Failure('plan', `${call}: the disk was not as the index says`)
}
