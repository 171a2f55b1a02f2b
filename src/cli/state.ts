import { join } from 'node:path'
import type { Settings } from '../config/complete.ts'
import { parsePeerId } from '../core/peer-id.ts'
import { endGeneration, isOfVolume, redrawGeneration } from '../engine/generation.ts'
import type { Log } from '../observe/log.ts'
import { type OpenedStore, openStore, setIndexAside } from '../store/open-store.ts'
import type { SqliteStore } from '../store/sqlite-store.ts'
import type { NodeDisk } from '../volume/node-disk.ts'
import { openVolume } from '../volume/open.ts'
import type { SyndVolume } from '../volume/volume.ts'
import { systemChance, systemClock } from './host.ts'
import { checkStateDir, stateDirError } from './state-dir.ts'

/** The index and the volume that it is of. */
export interface State {
  readonly store: SqliteStore
  readonly volume: SyndVolume
  /** What the index knows its volume by (rule 1). */
  readonly volumeMark: string
  /** The index is not in the volume. */
  readonly isElsewhere: boolean
  /** To be called when everything else has stopped. */
  end(): Promise<void>
}

/**
 * Opens index and volume. An index in the volume goes with it. One elsewhere may meet another volume, or the same as it was a while ago: then
 * it says nothing about it, is set aside, and the peer joins anew (rule 20).
 */
export async function openState(settings: Settings, disk: NodeDisk, log: Log): Promise<State> {
  checkStateDir(settings)
  const state = await openBoth(settings, disk, log)
  const isElsewhere = settings.stateDir !== join(settings.volume, '.synd')
  if (!isElsewhere)
    return {
      ...state,
      isElsewhere,
      volumeMark: state.volume.marker.mark,
      end: async () => {},
    }
  if (isOfVolume(state.store, state.volume)) return elsewhere(state, log)
  state.store.close()
  const movedTo = setIndexAside(indexPath(settings), systemClock.nowMs())
  log('error', 'the index is of another volume and was set aside: this peer joins anew', {
    movedTo,
  })
  return elsewhere(await openBoth(settings, disk, log), log)
}

type Opened = Pick<State, 'store' | 'volume'>

async function elsewhere({ store, volume }: Opened, log: Log): Promise<State> {
  return {
    store,
    volume,
    isElsewhere: true,
    volumeMark: await redrawGeneration(store, volume, systemChance),
    end: async () => {
      const refused = await endGeneration(store, volume, systemChance)
      if (refused !== null)
        log('warn', 'the end of this life could not be recorded', { reason: refused.message })
    },
  }
}

async function openBoth(settings: Settings, disk: NodeDisk, log: Log): Promise<Opened> {
  const { store, damaged } = openIndex(settings)
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

/** What the store refuses, in words for who set SYND_STATE_DIR. */
function openIndex(settings: Settings): OpenedStore {
  try {
    return openStore({
      path: indexPath(settings),
      durability: settings.durability,
      newPeerId: () => parsePeerId(systemChance.id64()),
      nowMs: () => systemClock.nowMs(),
    })
  } catch (error) {
    throw stateDirError(error, settings)
  }
}

function indexPath(settings: Settings): string {
  return join(settings.stateDir, 'index.sqlite')
}
