import type { Chance, Store, Volume } from '../../src/engine/ports.ts'
import type { Disk } from '../../src/volume/disk.ts'
import { openVolume } from '../../src/volume/open.ts'

/** The volume as it ships, on a disk in memory. */
export async function openMemoryVolume(parts: {
  disk: Disk
  store: Store
  chance: Chance
}): Promise<{ volume: Volume; mark: string }> {
  const { disk, store, chance } = parts
  const volume = await openVolume({
    disk,
    path: '/data',
    durability: 'full',
    ledger: store,
    ids: chance,
  })
  return { volume, mark: volume.marker.mark }
}
