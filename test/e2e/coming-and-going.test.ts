import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { until } from './wait.ts'

let cluster: Cluster

afterEach(async () => cluster.stop())

async function pair(): Promise<void> {
  cluster = await Cluster.make(['alpha', 'beta'])
  await cluster.start()
}

test('what changed while a peer was stopped arrives when it is back, deletes too', async () => {
  await pair()
  const { alpha, beta } = members()
  alpha.hands.write('kept', 'kept')
  alpha.hands.write('deleted', 'deleted')
  await cluster.untilInSync()
  expect(await beta.process.stop()).toBe(0)
  alpha.hands.write('kept', 'changed while away')
  alpha.hands.remove('deleted')
  alpha.hands.mkdir('made')
  alpha.hands.write('made/while-away', 'x')
  beta.hands.write('made-here-while-stopped', 'y')
  beta.process.start()
  await cluster.untilInSync()
  expect(alpha.hands.read('made-here-while-stopped')).toBe('y')
  expect(beta.hands.read('deleted')).toBeNull()
})

test('kill -9 in the middle of the work loses nothing', async () => {
  await pair()
  const { alpha, beta } = members()
  alpha.hands.mkdir('work')
  const names = Array.from({ length: 300 }, (_, n) => `work/${n}`)
  for (const name of names) alpha.hands.write(name, `content of ${name}`.repeat(100))
  await until(() => (beta.hands.tree().size > 20 ? null : 'beta has not begun'))
  await beta.process.kill()
  for (const name of names.filter((_, n) => n % 3 === 0)) alpha.hands.remove(name)
  await alpha.process.kill()
  alpha.process.start()
  beta.process.start()
  await cluster.untilInSync()
  const kept = names.filter((_, n) => n % 3 !== 0)
  expect([...beta.hands.tree('work').keys()].toSorted()).toEqual(kept.toSorted())
})

test('both change one file while they are apart: one stands, the other becomes the same conflict copy on both', async () => {
  await pair()
  const { alpha, beta } = members()
  alpha.hands.write('shared.txt', 'base')
  await cluster.untilInSync()
  await beta.process.stop()
  alpha.hands.write('shared.txt', 'from alpha')
  beta.hands.write('shared.txt', 'from beta')
  beta.process.start()
  await cluster.untilInSync()
  const contents = [...alpha.hands.tree().values()].map((shown) => shown.slice('f 644 '.length))
  expect(contents.toSorted()).toEqual(['from alpha', 'from beta'])
  const conflicts = await Promise.all(
    cluster.members.map(async ({ process }) => (await process.status())?.conflicts),
  )
  expect(conflicts[0]).toHaveLength(1)
  expect(conflicts[0]?.[0]).toMatch(/^shared\.sync-conflict-\d{8}-\d{6}-[0-9a-f]{8}\.txt$/)
  expect(conflicts[1]).toEqual(conflicts[0])
})

test('SIGTERM while 32 MiB are pulled ends with 0 within 10 s, and leaves no stage', async () => {
  await pair()
  const { alpha, beta } = members()
  writeFileSync(join(alpha.volume, 'large'), Buffer.alloc(32 * 1024 * 1024, 'synd'))
  await until(() => (beta.hands.tree('.synd/staging').size > 0 ? null : 'nothing is staged yet'))
  const beginMs = performance.now()
  expect(await beta.process.stop()).toBe(0)
  expect(performance.now() - beginMs).toBeLessThan(10_000)
  expect(beta.hands.tree('.synd/staging').size).toBe(0)
  beta.process.start()
  await cluster.untilInSync()
})

test('a peer that was suspended and goes on catches up', async () => {
  await pair()
  const { alpha, beta } = members()
  beta.process.signal('SIGSTOP')
  alpha.hands.write('while-suspended', 'x')
  await until(async () => {
    const connected = (await alpha.process.status())?.peers[0]?.connected
    return connected === false ? null : 'the suspended peer still counts as connected'
  })
  beta.process.signal('SIGCONT')
  await cluster.untilInSync()
  expect(beta.hands.read('while-suspended')).toBe('x')
})

function members() {
  return { alpha: cluster.member('alpha'), beta: cluster.member('beta') }
}
