import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeTree, run, seconds, syncDisks, treeIsThere, type TreeShape } from '../files.ts'
import type { Measure } from '../measure.ts'
import { runsOf, sizeOf } from '../options.ts'
import { withPair } from '../pair.ts'
import { until } from '../wait.ts'

/**
 * 10,000 files of 4 KiB that `cp -r` puts into one volume, from its first write until the last is visible in the other, at durability full; and
 * the same `cp -r` alone.
 */
export const manyFiles: Measure = {
  name: 'many-files-4KiB',
  run: (options) =>
    withPair(async ({ from, to, start, untilInSync }) => {
      const directories = sizeOf(options, { full: 100, quick: 5 })
      const shape: TreeShape = { directories, each: 100, sizeBytes: 4096 }
      const outside = dirname(from.volume)
      const [ours, copies]: [number[], number[]] = [[], []]
      await start()
      for (let n = 0; n < runsOf(options); n++) {
        const [tree, copy] = [join(outside, `tree-${n}`), join(outside, `copy-${n}`)]
        makeTree(tree, shape)
        syncDisks()
        copies.push(await seconds(() => run('cp', '-r', tree, copy)))
        syncDisks()
        const isThere = treeIsThere(join(to.volume, `tree-${n}`), shape)
        const visible = seconds(() => until('all files', isThere))
        await run('cp', '-r', tree, from.volume)
        ours.push(await visible)
        await untilInSync()
        for (const done of [tree, copy]) rmSync(done, { recursive: true })
      }
      const ratios = ours.map((one, n) => one / (copies[n] ?? Number.NaN))
      return [
        { name: `${manyFiles.name}/times-cp-r`, unit: 'ratio', runs: ratios },
        { name: manyFiles.name, unit: 's', runs: ours },
        { name: `${manyFiles.name}/cp-r`, unit: 's', runs: copies },
      ]
    }),
}
