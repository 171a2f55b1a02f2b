import type { FileEntry } from '../../core/entry.ts'
import type { Observation } from '../../core/observation.ts'
import type { Applied } from '../../engine/ports.ts'
import { DiskError, type DiskPath, type Owner } from '../disk.ts'
import type { FileStage, Metadata } from '../staging/stage.ts'
import type { ApplyContext } from './context.ts'
import { introduce } from './introduce.ts'

/** Gives a finished stage its name, mode and mtime; a replaced file's owner stays where the process may set it (rule 13). */
export async function publish(
  context: ApplyContext,
  {
    entry,
    stage,
    expected,
  }: {
    readonly entry: FileEntry
    readonly stage: FileStage
    readonly expected: Observation | null
  },
): Promise<Applied> {
  const { disk } = context
  if (!stage.isFinished) throw new Error('only a finished stage can be published')
  const metadata = { mode: entry.mode & 0o777, mtimeUs: entry.mtimeUs }
  const owner = expected?.kind === 'file' ? ownerToKeep(context, stage.path, entry.path) : null
  if (owner !== null || !isDressed(stage, metadata)) {
    await dress(context, stage.path, { metadata, owner })
  }
  await stage.bringToDisk()
  let isRemade = false
  const applied = await introduce(context, {
    staged: stage.path,
    to: entry.path,
    expected,
    remake: async (path) => {
      isRemade = true
      await disk.copy(stage.path, path)
      await dress(context, path, { metadata, owner })
    },
  })
  if (applied.kind !== 'applied') return applied
  if (isRemade) await stage.discard()
  else stage.published()
  return applied
}

function isDressed(stage: FileStage, metadata: Metadata): boolean {
  const set = stage.expected.metadata
  return set !== undefined && set.mode === metadata.mode && set.mtimeUs === metadata.mtimeUs
}

/** Sets what the entry says upon a whole file of ours, and brings it to the disk before it gets its name. */
async function dress(
  { disk, isDurable, keepsModes }: ApplyContext,
  path: DiskPath,
  { metadata, owner }: { readonly metadata: Metadata; readonly owner: Owner | null },
): Promise<void> {
  if (keepsModes) disk.chmod(path, 0o600)
  const file = disk.openForWriting(path)
  try {
    if (keepsModes) file.setMode(metadata.mode)
    file.setMtime(metadata.mtimeUs)
    if (owner !== null) keepOwner(() => disk.chown(path, owner))
    if (isDurable) await file.sync()
  } finally {
    file.close()
  }
}

/** The owner of the file that is replaced, when it is another than who runs this. */
function ownerToKeep({ disk }: ApplyContext, staged: DiskPath, replaced: DiskPath): Owner | null {
  const ours = disk.lstat(staged)?.owner
  let theirs: Owner | undefined
  keepOwner(() => {
    theirs = disk.lstat(replaced)?.owner
  })
  if (ours === undefined || theirs === undefined) return null
  return ours.uid === theirs.uid && ours.gid === theirs.gid ? null : theirs
}

/** Where the process may not, the file is its own: as if it had been copied here. */
function keepOwner(attempt: () => void): void {
  try {
    attempt()
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
  }
}
