import { SyndError } from '../core/errors.ts'
import type { Chance, Store, VolumeHalt } from './ports.ts'

/** A volume whose marker (`.synd/volume-id`) can be read and drawn anew; SyndVolume fits. */
interface MarkedVolume {
  readonly marker: { readonly id: string; readonly generation: string; readonly mark: string }
  /** Errors are SyndErrors. */
  setGeneration(generation: string): Promise<void>
}

/**
 * Rule 20, for an index that lives elsewhere than its volume: it holds the volume's id, the mark of the file that says it, and a generation
 * that is redrawn at every start and clean stop. A volume that shows another was copied, restored or is not the index's: what
 * it lacks was not deleted and what differs was not edited. The index says nothing about it then.
 */
export function isOfVolume(store: Pick<Store, 'identity'>, { marker }: MarkedVolume): boolean {
  const { volumeMark } = store.identity()
  if (volumeMark === null) return true
  const [mark, id, ...generations] = volumeMark.split(' ')
  return mark === marker.mark && id === marker.id && generations.includes(marker.generation)
}

/**
 * Draws the next generation and gives what the index is to know its volume by. The index names both while the volume gets the next, so that
 * a crash in between is none.
 */
export async function redrawGeneration(
  store: Pick<Store, 'identity' | 'commit'>,
  volume: MarkedVolume,
  chance: Chance,
): Promise<string> {
  const { mark, id, generation } = volume.marker
  const next = chance.id64()
  const remember = (...generations: readonly string[]): string => {
    const volumeMark = [mark, id, ...generations].join(' ')
    store.commit({ identity: { ...store.identity(), volumeMark } })
    return volumeMark
  }
  remember(generation, next)
  await volume.setGeneration(next)
  return remember(next)
}

/**
 * Draws the next generation at a clean stop. What the disks refuse by then ends no life uncleanly: the next start draws one. Gives why nothing was
 * drawn; null: it was, or the volume is not there.
 */
export async function endGeneration(
  store: Pick<Store, 'identity' | 'commit'>,
  volume: MarkedVolume & { halt(): VolumeHalt | null },
  chance: Chance,
): Promise<SyndError | null> {
  if (volume.halt() !== null) return null
  try {
    await redrawGeneration(store, volume, chance)
    return null
  } catch (error) {
    if (error instanceof SyndError) return error
    throw error
  }
}
