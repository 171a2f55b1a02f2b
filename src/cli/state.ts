import { join } from 'node:path'
import type { Settings } from '../config/complete.ts'
import { parsePeerId } from '../core/peer-id.ts'
import type { Log } from '../observe/log.ts'
import { openStore, setIndexAside } from '../store/open-store.ts'
import type { SqliteStore } from '../store/sqlite-store.ts'
import type { NodeDisk } from '../volume/node-disk.ts'
import { openVolume } from '../volume/open.ts'
import type { SyndVolume } from '../volume/volume.ts'
import { systemChance, systemClock } from './host.ts'

/** The index and the volume that it is of. */
export interface State {
  readonly store: SqliteStore
  readonly volume: SyndVolume
  /** What the index knows its volume by (rule 1). */
  readonly volumeMark: string
}

/**
 * Opens index and volume. An index in the volume goes with it. One elsewhere may meet another volume: it holds the volume's id and a generation that is
 * redrawn at every start; when the volume shows another, the index says nothing about it, is set aside, and the peer joins anew (rule 20).
 */
export async function openState(settings: Settings, disk: NodeDisk, log: Log): Promise<State> {
  const state = await openBoth(settings, disk, log)
  const isElsewhere = settings.stateDir !== join(settings.volume, '.synd')
  if (!isElsewhere) return { ...state, volumeMark: state.volume.marker.mark }
  if (fits(state)) return { ...state, volumeMark: await nextGeneration(state) }
  state.store.close()
  const movedTo = setIndexAside(indexPath(settings), systemClock.nowMs())
  log('error', 'the index is of another volume and was set aside: this peer joins anew', {
    movedTo,
  })
  const fresh = await openBoth(settings, disk, log)
  return { ...fresh, volumeMark: await nextGeneration(fresh) }
}

async function openBoth(
  settings: Settings,
  disk: NodeDisk,
  log: Log,
): Promise<Omit<State, 'volumeMark'>> {
  const { store, damaged } = openStore({
    path: indexPath(settings),
    durability: settings.durability,
    newPeerId: () => parsePeerId(systemChance.id64()),
    nowMs: () => systemClock.nowMs(),
  })
  if (damaged !== null)
    log('error', 'the index was damaged and set aside: this peer joins anew', damaged)
  try {
    const volume = await openVolume({
      disk,
      path: settings.volume,
      durability: settings.durability,
      ledger: store,
      ids: systemChance,
    })
    return { store, volume }
  } catch (error) {
    store.close()
    throw error
  }
}

function indexPath(settings: Settings): string {
  return join(settings.stateDir, 'index.sqlite')
}

/** The index has not met a volume yet, or has this one: at the last generation that it drew, or the one before where a crash came between. */
function fits({ store, volume }: Omit<State, 'volumeMark'>): boolean {
  const { volumeMark } = store.identity()
  if (volumeMark === null) return true
  const [id, ...generations] = volumeMark.split(' ')
  return id === volume.marker.id && generations.includes(volume.marker.generation)
}

/** Draws the next generation, first into the index, then into the volume; gives the mark: `id previous next`. */
async function nextGeneration({ store, volume }: Omit<State, 'volumeMark'>): Promise<string> {
  const { id, generation } = volume.marker
  const next = systemChance.id64()
  const volumeMark = `${id} ${generation} ${next}`
  store.commit({ identity: { ...store.identity(), volumeMark } })
  await volume.setGeneration(next)
  return volumeMark
}
