import { existsSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { Forwarder } from '../rpc/forwarder.ts'
import { Cluster, type Member } from './cluster.ts'
import { until } from './wait.ts'

type Finish = TestContext['onTestFinished']

/** A cluster in which files of `served` are pulled through lines that can be made slow, and cut. */
async function behindLines<Name extends string>(
  names: readonly string[],
  served: readonly Name[],
  onTestFinished: Finish,
) {
  const lines = new Map<string, Forwarder>()
  for (const name of served) {
    const line = await new Forwarder().start()
    onTestFinished(() => line.stop())
    lines.set(name, line)
  }
  const cluster = await Cluster.make(names, {
    settingsOf: (name): Record<string, string> => {
      const line = lines.get(name)
      return line === undefined ? {} : { SYND_SSH_ADVERTISE: `ssh://127.0.0.1:${line.port}` }
    },
  })
  onTestFinished(() => cluster.stop())
  for (const [name, line] of lines) line.pointTo(cluster.member(name).ports.ssh)
  const lineTo = (name: Name): Forwarder => {
    const line = lines.get(name)
    if (line === undefined) throw new Error(`no line to ${name}`)
    return line
  }
  return { cluster, lineTo }
}

test.concurrent('small files arrive while one of 1 GB is under way on a slow line', async ({
  expect,
  onTestFinished,
}) => {
  const { cluster, lineTo } = await behindLines(['alpha', 'beta'], ['alpha'], onTestFinished)
  const [alpha, beta] = [cluster.member('alpha'), cluster.member('beta')]
  await cluster.start()
  // 1 GB takes four minutes and more.
  lineTo('alpha').bytesPerSecond = 4_000_000
  const large = join(alpha.volume, '..', 'large')
  writeFileSync(large, '')
  truncateSync(large, 2 ** 30)
  // In one step: a busy machine would send an empty file first.
  renameSync(large, join(alpha.volume, 'large'))
  await until(() => (lineTo('alpha').carried > 1_000_000 ? null : 'nothing is under way'))
  alpha.hands.write('small', 'small')
  await until(() => (beta.hands.read('small') === 'small' ? null : 'the small file is not there'))
  for (let n = 0; n < 200; n++) alpha.hands.write(`many${n}`, `${n}`)
  await until(() => (beta.hands.read('many199') === '199' ? null : 'the others are not there'))
  expect(existsSync(join(beta.volume, 'large'))).toBe(false)
}, 180_000)

test.concurrent('a transfer that stalls is taken up with another neighbour that has the version', async ({
  expect,
  onTestFinished,
}) => {
  const names = ['alpha', 'gamma'] as const
  const { cluster, lineTo } = await behindLines(['beta', ...names], names, onTestFinished)
  const [beta, alpha] = [cluster.member('beta'), cluster.member('alpha')]
  await cluster.start()
  await beta.process.stop()
  const content = 'content '.repeat(4_000_000)
  alpha.hands.write('large', content)
  // All of it: while it is written a part of it may be sent.
  const isAt = ({ hands }: Member) => (hands.read('large') === content ? null : 'not there')
  await until(() => isAt(cluster.member('gamma')))
  const before = new Map(names.map((name) => [name, lineTo(name).carried]))
  for (const name of names) lineTo(name).bytesPerSecond = 1_000_000
  beta.process.start()
  let busy: (typeof names)[number] | undefined
  await until(() => {
    busy = names.find((name) => lineTo(name).carried - (before.get(name) ?? 0) > 1_000_000)
    return busy === undefined ? 'nothing is under way' : null
  })
  const other = busy === 'alpha' ? 'gamma' : 'alpha'
  lineTo(busy ?? 'alpha').freeze()
  lineTo(other).bytesPerSecond = Number.POSITIVE_INFINITY
  await until(() => isAt(beta), { deadlineMs: 120_000 })
  expect(beta.process.output).toMatch(/sent nothing to speak of for 30 s.*pull failed/)
  expect(lineTo(other).carried).toBeGreaterThan(content.length)
  await cluster.untilInSync()
}, 240_000)
