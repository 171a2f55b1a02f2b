import type { Measure } from '../measure.ts'
import { measureNewFiles } from '../new-files.ts'
import { runsOf, sizeOf } from '../options.ts'
import { withPair } from '../pair.ts'

/** A new file of 1 KiB, from before it is written until it is visible on the other peer. */
export const newFile: Measure = {
  name: 'new-file-1KiB',
  run: (options) =>
    withPair(async ({ from, to, start }) => {
      await start()
      const amount = { runs: runsOf(options), files: sizeOf(options, { full: 100, quick: 10 }) }
      return [await measureNewFiles(newFile.name, { from: from.volume, to: to.volume }, amount)]
    }),
}
