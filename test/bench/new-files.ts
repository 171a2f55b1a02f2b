import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Appearances } from './appearances.ts'
import { percentile, type Figure } from './measure.ts'
import { until } from './wait.ts'

const sizeBytes = 1024

/** Between two files, and as much again by chance: long enough that each is one of its own, and in step with nothing. */
const pauseMs = 25

/** Two directories that somebody keeps equal. */
export interface Kept {
  readonly from: string
  readonly to: string
  /** What has to be called after each change, where nobody watches. */
  readonly changed?: () => void
}

/** How long a new file takes from before it is written in one until it is whole in the other. */
export async function measureNewFiles(
  name: string,
  { from, to, changed = () => undefined }: Kept,
  { runs, files }: { runs: number; files: number },
): Promise<Figure> {
  mkdirSync(join(from, 'new'))
  changed()
  await until('the directory', () => existsSync(join(to, 'new')))
  const appearances = new Appearances(join(to, 'new'))
  const one = async (file: string): Promise<number> => {
    await delay(pauseMs * (1 + Math.random()))
    const content = randomBytes(sizeBytes)
    const beginMs = performance.now()
    const appeared = appearances.of(file, sizeBytes)
    writeFileSync(join(from, 'new', file), content)
    changed()
    return (await appeared) - beginMs
  }
  const [p50Runs, p95Runs]: [number[], number[]] = [[], []]
  try {
    await one('warm-up')
    for (let run = 0; run < runs; run++) {
      const latencies: number[] = []
      for (let file = 0; file < files; file++) latencies.push(await one(`${run}-${file}`))
      p50Runs.push(percentile(latencies, 50))
      p95Runs.push(percentile(latencies, 95))
    }
  } finally {
    appearances.stop()
  }
  return { name, unit: 'ms', runs: p50Runs, p95Runs }
}
