import { join } from 'node:path'
import { makeTree, run, seconds } from '../files.ts'
import type { Measure } from '../measure.ts'
import { runsOf, sizeOf } from '../options.ts'
import { withPair } from '../pair.ts'
import { residentMiB } from '../resources.ts'
import { until } from '../wait.ts'

/** A start with 100,000 files that the index knows: until `/readyz` says so, and resident memory once both are in sync. */
export const knownFiles: Measure = {
  name: 'known-100000-files',
  needs: 'large',
  run: (options) =>
    withPair(async ({ from, to, start, halt, untilInSync }) => {
      const directories = sizeOf(options, { full: 1000, quick: 10 })
      makeTree(join(from.volume, 'tree'), { directories, each: 100, sizeBytes: 100 })
      await run('cp', '-a', join(from.volume, 'tree'), to.volume)
      await start()
      const [ready, resident]: [number[], number[]] = [[], []]
      const isReady = async (): Promise<boolean> => {
        try {
          return (await from.process.get('/readyz')).status === 200
        } catch {
          return false
        }
      }
      for (let n = 0; n < runsOf(options); n++) {
        await halt()
        from.process.start()
        ready.push(await seconds(() => until('ready', isReady)))
        to.process.start()
        await untilInSync()
        resident.push(residentMiB(from.process.pid))
      }
      return [
        { name: `${knownFiles.name}/ready`, unit: 's', runs: ready },
        { name: `${knownFiles.name}/resident`, unit: 'MiB', runs: resident },
      ]
    }),
}
