import { createHash } from 'node:crypto'
import { parseDigest, type Digest } from '../../src/core/digest.ts'
import type { DirectoryEntry, FileEntry, SymlinkEntry } from '../../src/core/entry.ts'
import type { Hold, IndexRecord } from '../../src/core/index-record.ts'
import type { Observation } from '../../src/core/observation.ts'
import { parsePeerId } from '../../src/core/peer-id.ts'
import { parseRelativePath, type RelativePath } from '../../src/core/relative-path.ts'
import { vectorOf } from '../../src/core/version-vector.ts'
import type { Applied } from '../../src/engine/ports.ts'
import type { HoldLedger } from '../../src/volume/held.ts'
import type { FileStage } from '../../src/volume/staging/stage.ts'
import type { SyndVolume } from '../../src/volume/volume.ts'

/** As much of an index as the volume asks of. */
export class TestLedger implements HoldLedger {
  readonly #holds = new Map<string, Hold>()
  readonly #records = new Map<RelativePath, IndexRecord>()

  /** How often holds were recorded. */
  recordings = 0

  recordHolds(holds: readonly Hold[]): void {
    this.recordings++
    for (const hold of holds) this.#holds.set(hold.id, hold)
  }

  holds(): readonly Hold[] {
    return [...this.#holds.values()]
  }

  get(path: RelativePath): IndexRecord | null {
    return this.#records.get(path) ?? null
  }

  put(record: IndexRecord): void {
    this.#records.set(record.entry.path, record)
  }

  release(id: string): void {
    this.#holds.delete(id)
  }
}

/** Ids that are the same in each run: 0000000000000001 and so on. */
export function countingIds(): { id64(): string } {
  let last = 0
  return { id64: () => (++last).toString(16).padStart(16, '0') }
}

export function digestOfText(latin1: string): Digest {
  return parseDigest(createHash('sha256').update(latin1, 'latin1').digest('hex'))
}

/** What tests give every file that they publish. */
export const someMtimeUs = 1_700_000_000_123_456

export function fileEntry(
  path: string,
  content: string,
  { mode = 0o644, mtimeUs = someMtimeUs }: { mode?: number; mtimeUs?: number } = {},
): FileEntry {
  return {
    ...versioned(path, { mode, mtimeUs }),
    kind: 'file',
    digest: digestOfText(content),
    sizeBytes: content.length,
  }
}

export function directoryEntry(path: string, mode = 0o755): DirectoryEntry {
  return { ...versioned(path, { mode, mtimeUs: someMtimeUs }), kind: 'directory' }
}

export function symlinkEntry(path: string, target: string): SymlinkEntry {
  return {
    ...versioned(path, { mode: 0o777, mtimeUs: someMtimeUs }),
    kind: 'symlink',
    digest: digestOfText(target),
    target,
  }
}

function versioned(path: string, { mode, mtimeUs }: { mode: number; mtimeUs: number }) {
  const dot = { peer: parsePeerId('a'.repeat(16)), counter: 1 }
  const version = vectorOf(dot)
  return {
    path: parseRelativePath(path),
    version,
    contentDot: dot,
    metadataDot: dot,
    mode,
    mtimeUs,
  }
}

/** A finished stage of `content`. */
export async function staged(
  volume: SyndVolume,
  content: string,
  metadata?: { mode: number; mtimeUs: number },
): Promise<FileStage> {
  const expected = { sizeBytes: content.length, digest: digestOfText(content) }
  const stage = await volume.createStage(
    metadata === undefined ? expected : { ...expected, metadata },
  )
  await stage.write(Buffer.from(content, 'latin1'))
  await stage.finish()
  return stage
}

/** Publishes `content` at `path` as the engine does: staged with the metadata that it will have. */
export async function put(
  volume: SyndVolume,
  path: string,
  {
    content,
    expected = null,
    mode = 0o644,
  }: { content: string; expected?: Observation | null; mode?: number },
): Promise<Applied> {
  const entry = fileEntry(path, content, { mode })
  const stage = await staged(volume, content, { mode, mtimeUs: entry.mtimeUs })
  const applied = await volume.apply({ kind: 'publish', entry, stage, expected })
  if (applied.kind !== 'applied') await stage.discard()
  return applied
}

/** What is at the path now; throws when nothing is. */
export function observed(volume: SyndVolume, path: string): Observation {
  const look = volume.look(parseRelativePath(path))
  if (look.kind !== 'present') throw new Error(`${path} is ${look.kind}`)
  return look.observation
}

/** What was applied; throws when it was not. */
export function demandApplied(applied: Applied): Extract<Applied, { kind: 'applied' }> {
  if (applied.kind !== 'applied') throw new Error(`not applied: ${JSON.stringify(applied)}`)
  return applied
}
