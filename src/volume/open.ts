import { restoreGrants } from './apply/access.ts'
import type { Disk } from './disk.ts'
import { restoreHolds, type HoldLedger } from './held.ts'
import type { Ids } from './ground/layout.ts'
import { VolumeLock } from './ground/lock.ts'
import { openMarker } from './ground/marker.ts'
import { NodeDisk } from './node-disk.ts'
import { probeKeeps } from './ground/probe.ts'
import { prepareRoot, rootError, unwritable } from './ground/root.ts'
import { stagingDirectory } from './ground/layout.ts'
import { SyndVolume } from './volume.ts'

/** A directory that this process alone has as its volume: what the store and the volume are opened on. */
export interface VolumeGround {
  readonly disk: NodeDisk
  /** Lets another process have it; after everything that uses the disk. */
  stop(): Promise<void>
}

/**
 * Takes the directory at `path`: finds whether it can be used, makes `.synd`, locks it. Throws SyndError `volume-missing`,
 * `volume-unreadable`, `volume-unwritable` or `volume-locked`, each with what to do.
 */
export async function openGround(path: string): Promise<VolumeGround> {
  const disk = new NodeDisk({ rootPath: path })
  try {
    disk.start()
  } catch (error) {
    throw rootError(error, path)
  }
  const lock = new VolumeLock({ disk, rootPath: path })
  try {
    await prepareRoot(disk, path)
    lock.start()
  } catch (error) {
    await disk.stop()
    throw error
  }
  return {
    disk,
    stop: async () => {
      lock.stop()
      await disk.stop()
    },
  }
}

/**
 * The volume on a disk that nobody else works on (`openGround`, or the simulation's): takes back what a crash cut short, reads or makes the
 * marker, probes. What a former life staged stays until `sweep`. `path` is for messages. Throws SyndError `volume-unreadable` or `volume-unwritable`.
 */
export async function openVolume({
  disk,
  path,
  durability,
  ledger,
  ids,
}: {
  readonly disk: Disk
  readonly path: string
  readonly durability: 'full' | 'none'
  readonly ledger: HoldLedger
  readonly ids: Ids
}): Promise<SyndVolume> {
  const root = await prepareRoot(disk, path)
  try {
    const leftovers = disk.list(stagingDirectory)
    restoreGrants(disk)
    const touched = restoreHolds({ disk, ids }, ledger)
    const marker = await openMarker(disk, ids)
    const keeps = probeKeeps(disk, ids)
    const isDurable = durability === 'full'
    return new SyndVolume({
      disk,
      path,
      root,
      marker,
      keeps,
      ids,
      ledger,
      isDurable,
      touched,
      leftovers,
    })
  } catch (error) {
    throw unwritable(error, path)
  }
}
