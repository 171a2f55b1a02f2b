import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { SlowLine } from '../support/slow-line.ts'
import { Cluster, type Member } from './cluster.ts'
import { until } from './wait.ts'

/** A minute and more on the narrow line. */
const largeBytes = 8 * 1024 * 1024

let cluster: Cluster
const lines: SlowLine[] = []

afterEach(async () => {
  await cluster.stop()
  for (const line of lines.splice(0)) await line.close()
})

/** What a peer of `member` has not acknowledged yet. */
async function pendingAt(member: Member, name: string): Promise<number> {
  const status = await member.process.status()
  const peer = status?.peers.find((one) => one.name === name)
  if (peer === undefined) throw new Error(`${name} is not known at ${member.name}`)
  return peer.pendingChanges
}

test('a peer on 1 Mbit/s and one behind 100 ms keep no other waiting', async () => {
  const narrow = new SlowLine({ host: '127.0.0.2', bytesPerSecond: 1_000_000 / 8 })
  const long = new SlowLine({ host: '127.0.0.3', delayMs: 100 })
  lines.push(narrow, long)
  // Whatever goes to or from the two goes over their lines, files too: those are pulled from where a peer is dialled.
  const hosts: Readonly<Record<string, string>> = { slow: narrow.host, far: long.host }
  cluster = await Cluster.make(['alpha', 'beta', 'slow', 'far'], {
    hostOf: (name, other) => hosts[name] ?? hosts[other] ?? '127.0.0.1',
  })
  const ports = cluster.members.flatMap(({ ports: { grpc, ssh } }) => [grpc, ssh])
  for (const line of lines) await line.open(ports)
  await cluster.start()
  const [alpha, beta, slow, far] = ['alpha', 'beta', 'slow', 'far'].map((name) =>
    cluster.member(name),
  ) as [Member, Member, Member, Member]
  alpha.hands.mkdir('small')
  for (let n = 0; n < 100; n++) alpha.hands.write(`small/${n}`, `${n}`.repeat(300))
  writeFileSync(join(alpha.volume, 'large'), Buffer.alloc(largeBytes, 'synd'))
  const isLike = (member: Member, like: Member): string | null =>
    cluster.difference(like.name, [member.name])
  await until(() => isLike(beta, alpha) ?? isLike(far, alpha))
  expect(await pendingAt(alpha, 'slow')).toBeGreaterThan(0)
  // And so it stays, in both directions, while the slow one is still at it.
  beta.hands.write('after', 'of beta')
  far.hands.write('from-far', 'of far')
  await until(() => isLike(alpha, beta) ?? isLike(alpha, far))
  await until(() => isLike(beta, far))
  expect(slow.hands.read('large')).toBeNull()
  expect(await pendingAt(alpha, 'slow')).toBeGreaterThan(0)
  expect((await alpha.process.status())?.inSync).toBe(false)
  narrow.bytesPerSecond = null
  await cluster.untilInSync()
  for (const line of lines) expect(line.passed).toBeGreaterThan(largeBytes)
})
