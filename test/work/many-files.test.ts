import { mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'
import { untilAgreed } from './at-rest.ts'

/** WORK_FILES=100000 for the long form. */
const files = Number(process.env['WORK_FILES'] ?? 20_000)
const isLong = process.env['WORK_FILES'] !== undefined
const deadlineMs = 180_000 + files * 20

let cluster: Cluster

afterEach(async () => cluster.stop(), deadlineMs)

test(
  `${files} files in one directory arrive, are changed here and there, and go`,
  { timeout: 3 * deadlineMs },
  async () => {
    cluster = await Cluster.make(['alpha', 'beta'], { settings: { SYND_DURABILITY: 'none' } })
    await cluster.start()
    const here = join(cluster.member('alpha').volume, 'd')
    const there = join(cluster.member('beta').volume, 'd')
    const begin = performance.now()
    const took = (what: string): void => {
      if (isLong) console.log(`${what} after ${Math.round((performance.now() - begin) / 1000)} s`)
    }
    writeFileSync(join(cluster.member('alpha').volume, 'beside'), '')
    mkdirSync(here)
    for (let n = 0; n < files; n++) writeFileSync(join(here, `file-${n}`), contentOf(n))
    took('written')
    await untilAgreed(cluster, files + 1, deadlineMs)
    took('arrived')
    expectFiles(there, files)
    for (let n = 0; n < files; n += 100) writeFileSync(join(here, `file-${n}`), 'changed')
    for (let n = 50; n < files; n += 100) unlinkSync(join(here, `file-${n}`))
    await until(
      () => {
        const last = readFileSync(join(there, 'file-0'), 'utf8')
        return last === 'changed' ? null : last
      },
      { deadlineMs },
    )
    await untilAgreed(cluster, files + 1 - files / 100, deadlineMs)
    took('changed')
    expect(readdirSync(there).length).toBe(files - files / 100)
    for (let n = 0; n < files; n += 100)
      expect(readFileSync(join(there, `file-${n}`), 'utf8')).toBe('changed')
    rmSync(here, { recursive: true })
    await until(() => (readdirSync(join(there, '..')).includes('d') ? 'still there' : null), {
      deadlineMs,
    })
    await untilAgreed(cluster, 1, deadlineMs)
    took('gone')
  },
)

function contentOf(n: number): string {
  return `the content of ${n}\n`.repeat(1 + (n % 20))
}

function expectFiles(directory: string, count: number): void {
  expect(readdirSync(directory).length).toBe(count)
  for (let n = 0; n < count; n++) {
    const content = readFileSync(join(directory, `file-${n}`), 'utf8')
    if (content !== contentOf(n)) expect(content, `file-${n}`).toBe(contentOf(n))
  }
}
