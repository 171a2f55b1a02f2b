import type { Figure, Measure } from '../measure.ts'
import { measureNewFiles } from '../new-files.ts'
import { runsOf, sizeOf, type Options } from '../options.ts'
import { pathOf } from '../../transfer/tools.ts'
import { lsyncd } from '../rivals/lsyncd.ts'
import { Ground, type Rival } from '../rivals/rival.ts'
import { rsync } from '../rivals/rsync.ts'
import { syncthing } from '../rivals/syncthing.ts'
import { unison } from '../rivals/unison.ts'
import { newFile } from './new-file.ts'

/** The new file of 1 KiB with Synd, and with what else is installed here: how many times as long that takes, and how long. */
export const rivals: Measure = {
  name: 'rivals',
  needs: 'rivals',
  run: async (options) => {
    const [ours] = await newFile.run(options)
    if (ours === undefined) throw new Error(`${newFile.name} gave no figure`)
    const figures: Figure[] = []
    for (const rival of [rsync, lsyncd, unison, syncthing]) {
      if (pathOf(rival.name) === null) {
        console.error(`${rival.name} is not installed: left out`)
        continue
      }
      const theirs = await measureRival(rival, options)
      const ratios = theirs.runs.map((one, n) => one / (ours.runs[n] ?? Number.NaN))
      figures.push({ name: `${theirs.name}/times-synd`, unit: 'ratio', runs: ratios }, theirs)
    }
    return [...figures, { ...ours, name: `${newFile.name}/synd` }]
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
    return await measureNewFiles(`${newFile.name}/${rival.name}`, kept, amount)
  } finally {
    await ground.stop()
  }
}
