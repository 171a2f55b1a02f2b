import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { untilAtRest } from './at-rest.ts'
import { metric } from './metric.ts'
import { suspend } from './suspend.ts'

let cluster: Cluster

afterEach(async () => cluster.stop(), 180_000)

test(
  'what 20,000 creates and 5,000 deletes were, while the process was suspended and the kernel dropped events, is found (G9)',
  { timeout: 600_000 },
  async () => {
    cluster = await Cluster.make(['alpha', 'beta'], { settings: { SYND_DURABILITY: 'none' } })
    const alpha = cluster.member('alpha')
    mkdirSync(join(alpha.volume, 'new'))
    for (let d = 0; d < 50; d++) {
      mkdirSync(join(alpha.volume, `old${d}`))
      for (let n = 0; n < 100; n++) writeFileSync(join(alpha.volume, `old${d}/${n}`), `${d} ${n}`)
    }
    for (const { process } of cluster.members) process.start()
    await untilAtRest(cluster)
    // A loop that stood still on a busy machine counts too.
    const before = await overflows()

    await suspend(alpha.process)
    // The queue holds 16,384 events, and each of these makes two.
    for (let n = 0; n < 20_000; n++) writeFileSync(join(alpha.volume, `new/${n}`), `${n}`)
    for (let d = 0; d < 50; d++) rmSync(join(alpha.volume, `old${d}`), { recursive: true })
    alpha.process.signal('SIGCONT')
    await untilAtRest(cluster)
    expect(await overflows()).toBeGreaterThan(before)
    expect(cluster.member('beta').hands.tree().size).toBe(20_001)
  },
)

async function overflows(): Promise<number> {
  return (await metric(cluster.member('alpha').process, 'synd_watch_overflows_total')) ?? 0
}
