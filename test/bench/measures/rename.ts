import { existsSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SidecarProcess } from '../../e2e/sidecar-process.ts'
import { makeTree, run, seconds, treeIsThere, type TreeShape } from '../files.ts'
import type { Measure } from '../measure.ts'
import { runsOf, sizeOf } from '../options.ts'
import { withPair } from '../pair.ts'
import { until } from '../wait.ts'

/** A directory of 10,000 files: its rename, what of it travels, and its removal. */
export const rename: Measure = {
  name: 'directory-of-10000-files',
  run: (options) =>
    withPair(async ({ from, to, start, untilInSync }) => {
      const each = sizeOf(options, { full: 10_000, quick: 500 })
      const shape: TreeShape = { directories: 1, each, sizeBytes: 1024 }
      const [renames, bytes, removals]: [number[], number[], number[]] = [[], [], []]
      // So that the volume is never emptied, which asks first (rule 19).
      makeTree(join(from.volume, 'stays'), { ...shape, each: 20 })
      await start()
      for (let n = 0; n < runsOf(options); n++) {
        const made = join(dirname(from.volume), `made-${n}`)
        makeTree(made, shape)
        await run('mv', made, join(from.volume, 'before'))
        await until('all files', treeIsThere(join(to.volume, 'before'), shape))
        await untilInSync()
        const bytesBefore = await receivedBytes(to.process)
        const isRenamed = treeIsThere(join(to.volume, 'after'), shape)
        const renamed = seconds(() =>
          until('renamed', () => isRenamed() && !existsSync(join(to.volume, 'before'))),
        )
        renameSync(join(from.volume, 'before'), join(from.volume, 'after'))
        renames.push(await renamed)
        await untilInSync()
        bytes.push((await receivedBytes(to.process)) - bytesBefore)
        const removed = seconds(() => until('removed', () => !existsSync(join(to.volume, 'after'))))
        await run('rm', '-r', join(from.volume, 'after'))
        removals.push(await removed)
        await untilInSync()
      }
      return [
        { name: `${rename.name}/rename`, unit: 's', runs: renames },
        { name: `${rename.name}/content-on-the-wire`, unit: 'bytes', runs: bytes },
        { name: `${rename.name}/removal`, unit: 's', runs: removals },
      ]
    }),
}

/** Content that this peer has pulled since its start. */
async function receivedBytes(process: SidecarProcess): Promise<number> {
  const { text } = await process.get('/metrics')
  const lines = text.matchAll(
    /^synd_transfer_bytes_total\{[^}]*direction="received"[^}]*\} (\d+)/gm,
  )
  return [...lines].reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}
