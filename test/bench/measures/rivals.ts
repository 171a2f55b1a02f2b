import type { Figure, Measure } from '../measure.ts'
import { measureNewFiles } from '../new-files.ts'
import { runsOf, sizeOf, type Options } from '../options.ts'
import { pathOf } from '../../transfer/tools.ts'
import { lsyncd } from '../rivals/lsyncd.ts'
import { Ground, type Rival } from '../rivals/rival.ts'
import { rsync } from '../rivals/rsync.ts'
import { syncthing } from '../rivals/syncthing.ts'
import { unison } from '../rivals/unison.ts'

/** The new file of 1 KiB with what else is installed here. */
export const rivals: Measure = {
  name: 'rivals',
  needs: 'rivals',
  run: async (options) => {
    const figures: Figure[] = []
    for (const rival of [rsync, lsyncd, unison, syncthing]) {
      if (pathOf(rival.name) === null) console.error(`${rival.name} is not installed: left out`)
      else figures.push(await measureRival(rival, options))
    }
    return figures
  },
}

async function measureRival(rival: Rival, options: Options): Promise<Figure> {
  const ground = new Ground()
  try {
    const kept = await rival.start(ground)
    const amount = {
      runs: runsOf(options),
      files: sizeOf(options, { full: rival.files, quick: 3 }),
    }
    return await measureNewFiles(`new-file-1KiB/${rival.name}`, kept, amount)
  } finally {
    await ground.stop()
  }
}
