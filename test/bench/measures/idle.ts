import { join } from 'node:path'
import { makeTree, run } from '../files.ts'
import type { Measure } from '../measure.ts'
import { runsOf, sizeOf } from '../options.ts'
import { withPair } from '../pair.ts'
import { idlePercent, residentMiB } from '../resources.ts'

/** Resident memory and CPU of one peer that has nothing to do, with 10,000 files. */
export const idle: Measure = {
  name: 'idle-10000-files',
  run: (options) =>
    withPair(async ({ from, to, start }) => {
      const directories = sizeOf(options, { full: 100, quick: 5 })
      makeTree(join(from.volume, 'tree'), { directories, each: 100, sizeBytes: 4096 })
      await run('cp', '-a', join(from.volume, 'tree'), to.volume)
      await start()
      const durationMs = sizeOf(options, { full: 20_000, quick: 3_000 })
      const { pid } = from.process
      const [percents, resident]: [number[], number[]] = [[], []]
      for (let n = 0; n < runsOf(options); n++) {
        percents.push(await idlePercent(pid, durationMs))
        resident.push(residentMiB(pid))
      }
      return [
        { name: `${idle.name}/cpu-of-a-core`, unit: '%', runs: percents },
        { name: `${idle.name}/resident`, unit: 'MiB', runs: resident },
      ]
    }),
}
