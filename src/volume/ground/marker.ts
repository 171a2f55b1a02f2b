import type { VolumeHalt } from '../../engine/ports.ts'
import { errnoOf, type Disk, type DiskStat } from '../disk.ts'
import { ownDirectory, writeOnce, type Ids } from './layout.ts'
import { writeError } from '../write-error.ts'
import type { RootIdentity } from './root.ts'

const markerPath = `${ownDirectory}/volume-id`

/** What `.synd/volume-id` says: two lines of 16 hex digits. */
export interface Marker {
  /** Drawn once, when the volume is first seen. */
  readonly id: string
  /** Redrawn at every start and clean stop where the index lives elsewhere (rule 20). */
  readonly generation: string
  /** Inode and birth time of the file: another one after a copy or a restore of the volume (rule 1). */
  readonly mark: string
}

/** Reads the volume's marker, making it where there is none or no whole one; DiskErrors come through. */
export async function openMarker(disk: Disk, ids: Ids): Promise<Marker> {
  const found = await readMarker(disk)
  if (found !== null) return found
  if (disk.lstat(markerPath) !== null) disk.unlink(markerPath)
  await writeOnce(disk, { path: markerPath, content: `${ids.id64()}\n${ids.id64()}\n` })
  const made = await readMarker(disk)
  if (made === null) throw new Error(`${markerPath} does not read as it was written`)
  return made
}

/**
 * Writes another generation into the marker, in place: its mark stays, and so few bytes are written at once or not at all. Throws SyndError
 * `no-space` or `io`.
 */
export async function writeGeneration(
  disk: Disk,
  { id, generation }: { readonly id: string; readonly generation: string },
): Promise<void> {
  try {
    const file = disk.openForWriting(markerPath)
    try {
      await file.write(Buffer.from(`${id}\n${generation}\n`))
      await file.sync()
    } finally {
      file.close()
    }
  } catch (error) {
    throw writeError(error, ({ errno }) => `${markerPath} could not be written (${errno})`)
  }
}

/** Whether root and marker are still those that were opened (rule 20); null: they are. Two looks, cheap enough for every commit. */
export function haltOf(
  disk: Disk,
  opened: { readonly path: string; readonly root: RootIdentity; readonly mark: string },
): VolumeHalt | null {
  const said = `the volume ${JSON.stringify(opened.path)}`
  try {
    const root = disk.lookRoot()
    if (root.kind !== 'directory') return { code: 'volume-missing', message: `${said} is gone` }
    if (root.inode !== opened.root.inode || root.device !== opened.root.device) {
      return {
        code: 'volume-foreign',
        message: `${said} is another directory than the one that was opened: it was mounted over, or removed and made anew. Put the old one back or restart Synd`,
      }
    }
    const marker = disk.lstat(markerPath)
    if (marker !== null && markOf(marker) === opened.mark) return null
    return {
      code: 'volume-foreign',
      message: `${said} has ${marker === null ? 'no' : 'another'} ${markerPath}: it was emptied or replaced while Synd was running. Put the old one back or restart Synd`,
    }
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === null) throw error
    return errno === 'ENOENT' || errno === 'ENOTDIR'
      ? { code: 'volume-missing', message: `${said} is gone` }
      : { code: 'volume-unreadable', message: `${said} cannot be read (${errno})` }
  }
}

async function readMarker(disk: Disk): Promise<Marker | null> {
  const stat = disk.lstat(markerPath)
  if (stat?.kind !== 'file') return null
  const file = disk.openForReading(markerPath)
  try {
    const text = Buffer.from(await file.read(0, 100)).toString('latin1')
    const [, id, generation] = /^([0-9a-f]{16})\n([0-9a-f]{16})\n$/.exec(text) ?? []
    if (id === undefined || generation === undefined) return null
    return { id, generation, mark: markOf(file.stat()) }
  } finally {
    file.close()
  }
}

function markOf(stat: DiskStat): string {
  return `${stat.inode}:${stat.birthtimeNs}`
}
