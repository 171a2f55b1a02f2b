import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { Cluster, type Member } from './cluster.ts'
import { SidecarProcess } from './sidecar-process.ts'
import { until } from './wait.ts'

/** A sender and a mirror with a hub between them, as processes; rules M1 to M9. */

const launcher = join(import.meta.dirname, '..', '..', 'bin', 'synd.js')
const modes: Readonly<Record<string, string>> = { sender: 'send-only', mirror: 'receive-only' }

let cluster: Cluster
const besides: SidecarProcess[] = []

afterEach(async () => {
  for (const process of besides.splice(0)) await process.kill()
  await cluster.stop()
})

async function started(): Promise<{ sender: Member; hub: Member; mirror: Member }> {
  const [sender, hub, mirror] = await chain(['sender', 'hub', 'mirror'])
  return { sender, hub, mirror }
}

/** Three in a row, each in the mode that its name says. */
async function chain(
  names: readonly [string, string, string],
): Promise<readonly [Member, Member, Member]> {
  const [first, middle, last] = names
  cluster = await Cluster.make(names, {
    listing: (from, to, port) => (from === middle || to === middle ? port : null),
    settingsOf: (name) => ({ SYND_MODE: modes[name] ?? 'send-receive' }),
  })
  await cluster.start()
  return [cluster.member(first), cluster.member(middle), cluster.member(last)]
}

/** What they say: paths kept apart, and whether in sync. */
async function said(): Promise<string[]> {
  const statuses = await Promise.all(cluster.members.map(({ process }) => process.status()))
  return statuses.map((status) => `${status?.volume.diverged} ${status?.inSync}`)
}

async function untilSaid(expected: readonly string[]): Promise<void> {
  await until(async () => {
    const now = await said()
    return now.join() === expected.join() ? null : now.join('; ')
  })
}

function contents({ hands }: Member): string[] {
  return [...hands.tree()]
    .map(
      ([path, shown]) =>
        `${path.replace(/\.sync-conflict-[-0-9a-f]+/, '.COPY')}: ${shown.slice(6)}`,
    )
    .toSorted()
}

test('a sender takes nothing, its changes win; all who are next to it say that something is apart', async () => {
  const { sender, hub, mirror } = await started()
  sender.hands.write('page', 'one')
  await cluster.untilInSync()
  expect(mirror.hands.read('page')).toBe('one')

  hub.hands.write('page', 'of the hub')
  hub.hands.write('note', 'of the hub')
  await until(() => cluster.difference('hub', ['mirror']))
  await untilSaid(['2 false', '0 false', '0 true'])
  expect(contents(sender)).toEqual(['page: one'])
  const { text } = await sender.process.get('/metrics')
  expect(text).toContain('\nsynd_diverged 2\n')
  expect((await hub.process.status())?.peers[0]).toMatchObject({ name: 'sender', diverged: 2 })

  sender.hands.write('page', 'two')
  hub.hands.remove('note')
  await cluster.untilInSync()
  expect(mirror.hands.read('page')).toBe('two')
  for (const { process } of cluster.members) expect(await process.stop()).toBe(0)
})

test('a mirror keeps its changes to itself until the next version, and reject takes them back', async () => {
  const { sender, hub, mirror } = await started()
  for (const name of ['a', 'b', 'c']) sender.hands.write(name, `${name} one`)
  await cluster.untilInSync()
  mirror.hands.write('a', 'of the mirror')
  mirror.hands.write('b', 'of the mirror too')
  mirror.hands.remove('c')
  mirror.hands.write('mine', 'mine')
  await untilSaid(['0 true', '0 false', '4 false'])
  expect(await mirror.process.stop()).toBe(0)
  mirror.process.start()
  await untilSaid(['0 true', '0 false', '4 false'])
  expect(contents(hub)).toEqual(['a: a one', 'b: b one', 'c: c one'])

  sender.hands.write('a', 'a two')
  await until(() => (mirror.hands.read('a') === 'a two' ? null : 'the mirror has the old one'))
  const { stdout } = await promisify(execFile)(process.execPath, [launcher, 'reject'], {
    env: { PATH: process.env['PATH'], ...mirror.process.environment },
  })
  expect(stdout).toContain('2 entries will be taken back from the peers')
  await until(() =>
    contents(mirror).join() ===
    'a.COPY: of the mirror,a: a two,b.COPY: of the mirror too,b: b one,c: c one,mine: mine'
      ? null
      : contents(mirror).join(),
  )
  for (const path of mirror.hands.tree().keys())
    if (sender.hands.read(path) === null) mirror.hands.remove(path)
  await cluster.untilInSync()
  expect(contents(hub)).toEqual(['a: a two', 'b: b one', 'c: c one'])
})

test('a mirror that becomes a sender and receiver sends what was changed on it', async () => {
  const { sender, hub, mirror } = await started()
  sender.hands.write('a', 'one')
  await cluster.untilInSync()
  mirror.hands.write('a', 'of the mirror')
  mirror.hands.write('mine', 'mine')
  await untilSaid(['0 true', '0 false', '2 false'])
  expect(await mirror.process.stop()).toBe(0)
  const both = new SidecarProcess({
    environment: { ...mirror.process.environment, SYND_MODE: 'send-receive' },
    httpPort: mirror.ports.http,
  })
  besides.push(both)
  both.start()
  await until(() => cluster.difference('mirror', ['hub']))
  expect(contents(hub)).toEqual(['a: of the mirror', 'mine: mine'])
  expect(contents(sender)).toEqual(['a: one'])
  expect(await both.stop()).toBe(0)
})

test('a mirror in the middle of a chain passes on what either end changes, and nothing of its own', async () => {
  const [left, mirror, right] = await chain(['left', 'mirror', 'right'])
  left.hands.mkdir('d')
  left.hands.write('d/of-left', 'one')
  right.hands.write('of-right', 'one')
  right.hands.write('short-lived', 'x')
  await cluster.untilInSync()
  expect(right.hands.read('d/of-left')).toBe('one')
  expect(left.hands.read('of-right')).toBe('one')

  mirror.hands.write('mine', 'mine')
  mirror.hands.write('d/of-left', 'of the mirror')
  await untilSaid(['0 false', '2 false', '0 false'])
  left.hands.chmod('of-right', 0o600)
  left.hands.rename('d', 'renamed')
  left.hands.remove('short-lived')
  right.hands.write('from-right', 'two')
  await until(() => cluster.difference('left', ['right']))
  expect(contents(right)).toEqual([
    'from-right: two',
    'of-right: one',
    'renamed/of-left: one',
    'renamed: ',
  ])
  // In the other direction, over what was changed in the middle.
  right.hands.write('renamed/of-left', 'two')
  await until(() => cluster.difference('right', ['left']))
  await until(() =>
    mirror.hands.read('renamed/of-left') === 'two' ? null : 'the mirror has the old one',
  )
  expect(mirror.hands.read('mine')).toBe('mine')
  expect(contents(mirror).filter((line) => line.includes('of the mirror'))).toHaveLength(1)
  for (const { hands } of [left, right]) {
    const all = [...hands.tree()].join()
    expect(all).not.toMatch(/mine|of the mirror|sync-conflict/)
  }
  for (const { process } of cluster.members) expect(await process.stop()).toBe(0)
})
