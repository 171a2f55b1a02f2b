import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Cluster, type Member } from '../e2e/cluster.ts'
import { runCommand } from '../e2e/sidecar-process.ts'
import { until } from '../e2e/wait.ts'
import { untilAtRest } from './at-rest.ts'
import { suspend } from './suspend.ts'

// For a slow, busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const files = 300

let cluster: Cluster
let alpha: Member
let beta: Member

beforeEach(async () => {
  cluster = await Cluster.make(['alpha', 'beta'])
  alpha = cluster.member('alpha')
  beta = cluster.member('beta')
  for (let n = 0; n < files; n++) alpha.hands.write(`file-${n}`, `content ${n}`)
  for (const { process } of cluster.members) process.start()
  await untilAtRest(cluster)
})

afterEach(async () => cluster.stop())

/** Everything in the volume but what is Synd's own. */
function empty({ volume }: Member): void {
  for (const name of readdirSync(volume))
    if (name !== '.synd') rmSync(join(volume, name), { recursive: true })
}

async function untilHeld(count: number): Promise<void> {
  await until(async () => {
    const status = await alpha.process.status()
    const says = status?.problems.some(({ code }) => code === 'deletes-held') === true
    if (!says || status.volume.heldDeletes < count) return JSON.stringify(status)
    return (await alpha.process.get('/readyz')).status === 200 ? null : 'it is not ready'
  })
}

/** `synd approve` and `synd reject`, as a person runs them on that host. */
function decide(decision: 'approve' | 'reject'): string {
  const [node = '', launcher = ''] = runCommand
  const env = { PATH: process.env['PATH'] ?? '', ...alpha.process.environment }
  return execFileSync(node, [launcher, decision], { env, encoding: 'utf8' })
}

test('a volume that was emptied while it is watched empties nobody else; rejected, all is back (rule 19)', async () => {
  const before = beta.hands.tree()
  // All at one look: what is seen gone one by one is deleted one by one.
  await suspend(alpha.process)
  empty(alpha)
  alpha.process.signal('SIGCONT')
  await untilHeld(1)
  expect(decide('reject')).toContain('will be taken back')
  await untilAtRest(cluster)
  expect(beta.hands.tree().size).toBeGreaterThan(0)
  for (const [path, shown] of beta.hands.tree()) expect(before.get(path)).toBe(shown)
})

test('what vanished while it was stopped is held as a whole; meanwhile all else goes on; rejected, all is back (rule 19)', async () => {
  await alpha.process.stop()
  for (let n = 0; n < 200; n++) alpha.hands.remove(`file-${n}`)
  alpha.process.start()
  await untilHeld(200)
  alpha.hands.write('made here', 'x')
  beta.hands.write('made there', 'y')
  beta.hands.write('file-250', 'edited')
  beta.hands.write('file-50', 'an edit beats a held delete')
  await until(() => (beta.hands.read('made here') === 'x' ? null : 'nothing goes out'))
  await until(() => (alpha.hands.read('made there') === 'y' ? null : 'nothing comes in'))
  await until(() => (alpha.hands.read('file-250') === 'edited' ? null : 'no edit comes in'))
  expect(beta.hands.tree().size).toBe(files + 2)
  expect((await alpha.process.status())?.inSync).toBe(false)
  expect(decide('reject')).toContain('will be taken back')
  await untilAtRest(cluster)
  expect(alpha.hands.tree().size).toBe(files + 2)
  expect(alpha.hands.read('file-50')).toBe('an edit beats a held delete')
})

test('approved, what vanished is deleted everywhere, also after a restart in between (rule 19)', async () => {
  await alpha.process.stop()
  for (let n = 0; n < 200; n++) alpha.hands.remove(`file-${n}`)
  alpha.process.start()
  await untilHeld(200)
  await alpha.process.kill()
  alpha.process.start()
  await untilHeld(200)
  expect(beta.hands.tree().size).toBe(files)
  expect(decide('approve')).toContain('200 entries will be deleted')
  await untilAtRest(cluster)
  expect(beta.hands.tree().size).toBe(files - 200)
})
