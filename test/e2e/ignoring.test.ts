import { afterEach, expect, test } from 'vitest'
import { Cluster, type Member } from './cluster.ts'
import { until } from './wait.ts'

/** Rule 14 on real hosts: processes, inotify, SSH. */

let cluster: Cluster

afterEach(async () => cluster.stop())

/** Rule 14: what is ignored may differ, so only what is named here must be equal. */
async function untilInSync(): Promise<void> {
  await until(async () => {
    const statuses = await Promise.all(cluster.members.map(({ process }) => process.status()))
    const waiting = statuses.filter((status) => status?.inSync !== true)
    if (waiting.length > 0)
      return `not in sync: ${JSON.stringify(waiting.map((one) => one?.problems))}`
    const digests = new Set(statuses.map((status) => status?.volume.treeDigest))
    return digests.size === 1 ? null : 'the digests differ'
  })
}

async function untilHas(member: Member, path: string, content: string | null): Promise<void> {
  await until(() => {
    const seen = member.hands.read(path)
    return seen === content ? null : `${member.name} has ${seen} at ${path}`
  })
}

test('rule 14: ignore on, delete, ignore off: nothing is deleted elsewhere, and everything comes back', async () => {
  cluster = await Cluster.make(['alpha', 'beta', 'gamma'])
  await cluster.start()
  const [alpha, beta, gamma] = cluster.members
  if (alpha === undefined || beta === undefined || gamma === undefined) throw new Error('members')
  alpha.hands.mkdir('cache')
  alpha.hands.mkdir('cache/deep')
  alpha.hands.write('cache/deep/x', 'x')
  alpha.hands.write('kept', 'kept')
  await cluster.untilInSync()

  beta.hands.write('.syndignore', '/cache/\n*.log\n')
  await untilHas(alpha, '.syndignore', '/cache/\n*.log\n')
  await untilHas(gamma, '.syndignore', '/cache/\n*.log\n')
  await untilInSync()
  for (const { process } of cluster.members) {
    const status = await process.status()
    expect(status?.volume).toMatchObject({ files: 2, directories: 0, tombstones: 0, ignored: 1 })
  }

  alpha.hands.remove('cache')
  alpha.hands.write('a.log', 'alone')
  beta.hands.write('cache/deep/x', 'edited while ignored')
  gamma.hands.write('after', 'after')
  await untilHas(alpha, 'after', 'after')
  await untilInSync()
  expect(beta.hands.read('a.log')).toBeNull()
  expect(gamma.hands.read('cache/deep/x')).toBe('x')
  expect((await alpha.process.status())?.volume.tombstones).toBe(0)

  // From here on nothing there is watched.
  expect(await beta.process.stop()).toBe(0)
  beta.process.start()
  await untilInSync()
  gamma.hands.remove('.syndignore')
  await untilHas(alpha, '.syndignore', null)
  await untilHas(beta, 'a.log', 'alone')
  await untilHas(gamma, 'a.log', 'alone')
  await cluster.untilInSync()
  const contents = [...alpha.hands.tree('cache').values()].map((shown) =>
    shown.split(' ').slice(2).join(' '),
  )
  expect(contents).toContain('x')
  expect(contents).toContain('edited while ignored')

  // It is watched again.
  beta.hands.write('cache/deep/new', 'seen at once')
  await untilHas(gamma, 'cache/deep/new', 'seen at once')
})

test('rule 14: a deleted directory with ignored files in it stays, is listed, and comes back nowhere, also after a restart', async () => {
  cluster = await Cluster.make(['alpha', 'beta'])
  await cluster.start()
  const [alpha, beta] = cluster.members
  if (alpha === undefined || beta === undefined) throw new Error('members')
  alpha.hands.write('.syndignore', '*.log\n')
  alpha.hands.mkdir('d')
  alpha.hands.write('d/x', 'x')
  await cluster.untilInSync()
  beta.hands.write('d/b.log', 'log')
  alpha.hands.remove('d')
  const isListed = async (): Promise<string | null> => {
    const problems = (await beta.process.status())?.problems ?? []
    const found = problems.map(({ code, path }) => `${code} ${path}`)
    return found.join() === 'leftover d' ? null : `listed: ${found.join()}`
  }
  await until(isListed)
  expect(beta.hands.read('d/x')).toBeNull()
  expect(await beta.process.stop()).toBe(0)
  beta.process.start()
  await until(isListed)
  await untilInSync()
  expect(alpha.hands.tree().has('d')).toBe(false)
  expect(beta.hands.read('d/b.log')).toBe('log')
  alpha.hands.mkdir('d')
  alpha.hands.write('d/y', 'y')
  await untilHas(beta, 'd/y', 'y')
  await untilInSync()
  expect((await beta.process.status())?.problems).toEqual([])
})
