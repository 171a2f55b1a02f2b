import { renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SidecarProcess } from '../../e2e/sidecar-process.ts'
import { makeLargeFile, syncDisks } from '../files.ts'
import type { Measure } from '../measure.ts'
import { runsOf, sizeOf } from '../options.ts'
import { withPair } from '../pair.ts'
import { until } from '../wait.ts'

/** How late the event loops of both peers are while four files of 512 MiB go from one to the other: the 99th percentile. */
export const eventLoop: Measure = {
  name: 'event-loop-2GiB',
  needs: 'large',
  run: (options) =>
    withPair(
      async ({ from, to, start, untilInSync }) => {
        const sizeBytes = sizeOf(options, { full: 512, quick: 16 }) * 1024 * 1024
        const names = ['0', '1', '2', '3']
        const outside = dirname(from.volume)
        const [sources, sinks]: [number[], number[]] = [[], []]
        await start()
        for (let n = 0; n < runsOf(options); n++) {
          for (const name of names) makeLargeFile(join(outside, name), sizeBytes)
          syncDisks()
          // Each scrape begins anew.
          await Promise.all([from, to].map(({ process }) => lagMs(process)))
          for (const name of names) renameSync(join(outside, name), join(from.volume, name))
          await until('all files', () =>
            names.every((name) => hasSize(join(to.volume, name), sizeBytes)),
          )
          sources.push(await lagMs(from.process))
          sinks.push(await lagMs(to.process))
          for (const name of names) rmSync(join(from.volume, name))
          await untilInSync()
        }
        return [
          { name: `${eventLoop.name}/p99-of-the-source`, unit: 'ms', runs: sources },
          { name: `${eventLoop.name}/p99-of-the-sink`, unit: 'ms', runs: sinks },
        ]
      },
      { SYND_DURABILITY: 'none' },
    ),
}

function hasSize(path: string, sizeBytes: number): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === sizeBytes
}

/** The 99th percentile since this was last asked. */
async function lagMs(process: SidecarProcess): Promise<number> {
  const { text } = await process.get('/metrics')
  const seconds = /^nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1]
  return Number(seconds) * 1000
}
