import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { untilAtRest } from './at-rest.ts'
import { until } from '../e2e/wait.ts'
import { Random } from '../support/random.ts'

const directories = 50
const filesEach = 100
const kills = 5

let cluster: Cluster

afterEach(async () => cluster.stop(), 180_000)

test(
  'killed again and again while 5,000 files arrive: only whole files are seen, all arrive, nothing is left behind (G7)',
  { timeout: 400_000 },
  async () => {
    const seed = Number(process.env['FAULTS_SEED'] ?? Math.floor(Math.random() * 1e9))
    console.log(`FAULTS_SEED=${seed}`)
    const random = new Random(seed)
    cluster = await Cluster.make(['alpha', 'beta'])
    const alpha = cluster.member('alpha')
    const beta = cluster.member('beta')
    for (let d = 0; d < directories; d++) {
      mkdirSync(join(alpha.volume, `d${d}`))
      for (let n = 0; n < filesEach; n++) alpha.hands.write(`d${d}/${n}`, contentOf(d, n))
    }
    alpha.process.start()
    for (let life = 1; life <= kills; life++) {
      const before = beta.hands.tree().size
      beta.process.start()
      // Something came in each life; how much is chance.
      await until(() => (beta.hands.tree().size > before ? null : 'nothing arrives'), {
        deadlineMs: 120_000,
        everyMs: 5,
      })
      await delay(random.below(400))
      await beta.process.kill()
      expect(brokenIn(beta.hands.tree())).toEqual([])
    }
    beta.process.start()
    await untilAtRest(cluster)
    expect(beta.hands.tree().size).toBe(directories * (filesEach + 1))
  },
)

function contentOf(directory: number, file: number): string {
  return `${directory}/${file} `.repeat(1 + (file % 50) * 20)
}

/** Files that are not what was written, whole. */
function brokenIn(tree: ReadonlyMap<string, string>): string[] {
  return [...tree].flatMap(([path, shown]) => {
    const [, directory = '', file = ''] = /^d(\d+)\/(\d+)$/.exec(path) ?? []
    if (file === '') return shown.startsWith('d ') ? [] : [path]
    const isWhole = shown === `f 644 ${contentOf(Number(directory), Number(file))}`
    return isWhole ? [] : [path]
  })
}
