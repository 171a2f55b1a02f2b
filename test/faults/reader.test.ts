import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'
import { selfDescribing, WholeFileReader } from '../support/whole-files.ts'

const files = 200
const rounds = 10

let cluster: Cluster
let reader: WholeFileReader | null = null

afterEach(async () => {
  await reader?.terminate()
  await cluster.stop()
})

test(
  'who reads the files all the time, while 2,000 updates of them arrive, misses none and never sees half of one (G3)',
  { timeout: 300_000 },
  async () => {
    cluster = await Cluster.make(['alpha', 'beta'], { settings: { SYND_DURABILITY: 'none' } })
    await cluster.start()
    const { hands } = cluster.member('alpha')
    const { volume } = cluster.member('beta')
    const write = (round: number): void => {
      for (let n = 0; n < files; n++) hands.replace(`d/${n}`, contentOf(n, round))
    }
    mkdirSync(join(cluster.member('alpha').volume, 'd'))
    write(0)
    await cluster.untilInSync()
    const names = Array.from({ length: files }, (_, n) => String(n))
    reader = await WholeFileReader.start(join(volume, 'd'), names)
    for (let round = 1; round <= rounds; round++) {
      write(round)
      await until(() => cluster.difference(), { deadlineMs: 120_000, everyMs: 100 })
    }
    const { reads, versions, faults } = await reader.end()
    expect(faults).toEqual([])
    expect(reads).toBeGreaterThan(files * rounds)
    // It did read while they changed, and not only the first and last of each.
    expect(versions).toBeGreaterThan(files * 2)
  },
)

/** Some are small, some larger than what is kept in memory until it is verified. */
function contentOf(file: number, round: number): string {
  const sizeBytes = file % 20 === 0 ? 300_000 + round : 100 * file + round
  return selfDescribing(`${file} ${round} `.repeat(sizeBytes / 4).slice(0, sizeBytes))
}
