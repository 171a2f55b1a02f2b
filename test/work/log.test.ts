import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { patientMs, untilAtRest } from './at-rest.ts'

const lines = 500
const lineEveryMs = 10

let cluster: Cluster

afterEach(async () => cluster.stop(), patientMs)

test(
  'a log to which a hundred lines a second are appended: the other side always holds a prefix of it, and all of it at rest',
  { timeout: 2 * patientMs },
  async () => {
    cluster = await Cluster.make(['alpha', 'beta'])
    const here = join(cluster.member('alpha').volume, 'service.log')
    const there = join(cluster.member('beta').volume, 'service.log')
    // Large enough to arrive in parts, and not so large that it is published only once it is quiet.
    let all = Array.from({ length: 8_000 }, (_, n) => lineOf(-n)).join('')
    writeFileSync(here, all)
    await cluster.start()
    const sizes = new Set<number>()
    const beginMs = performance.now()
    for (let n = 0; n < lines; n++) {
      all += lineOf(n)
      appendFileSync(here, lineOf(n))
      // Only as far as anybody could have read since.
      const seen = readFileSync(there, 'latin1')
      if (!sizes.has(seen.length)) expect(all.startsWith(seen), `after line ${n}`).toBe(true)
      sizes.add(seen.length)
      await delay(Math.max(0, beginMs + n * lineEveryMs - performance.now()))
    }
    await untilAtRest(cluster)
    expect(readFileSync(there, 'latin1') === all).toBe(true)
    expect(statSync(there).size).toBe(all.length)
    // It was published while it grew, though it never was at the end of a look what it was at the beginning.
    expect(sizes.size).toBeGreaterThan(2)
  },
)

function lineOf(n: number): string {
  return `2026-11-23T12:00:00.000Z line ${n} of the service ${'.'.repeat(Math.abs(n * 7919) % 60)}\n`
}
