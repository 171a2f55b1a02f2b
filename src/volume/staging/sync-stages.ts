import { inLanes } from '../lanes.ts'
import { FileStage } from './stage.ts'

/** Brings finished stages to the disk. Rejects with what the first of them failed with, once all were tried. */
export async function syncStages(stages: readonly object[]): Promise<void> {
  await inLanes(stages, async (stage) => {
    if (!(stage instanceof FileStage)) throw new Error('the stage is of another volume')
    await stage.bringToDisk()
  })
}
