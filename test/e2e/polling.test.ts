import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster, type Member } from './cluster.ts'

/** Real peers with SYND_WATCH=polling: what changes is found by looking every 2 s, and by nothing else. */

let cluster: Cluster

beforeAll(async () => {
  // The usual full scan is far away: it must not be what finds them.
  cluster = await Cluster.make(['alpha', 'beta'], {
    settings: { SYND_WATCH: 'polling', SYND_SCAN_INTERVAL: '6h' },
  })
  await cluster.start()
})
afterAll(async () => cluster.stop())

/** What the process asked the kernel to watch. */
function watches({ process }: Member): string[] {
  const directory = `/proc/${process.pid}/fdinfo`
  return readdirSync(directory).flatMap((name) =>
    readFileSync(`${directory}/${name}`, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('inotify')),
  )
}

test.each([
  ['alpha', 'beta'],
  ['beta', 'alpha'],
])('what is done on %s happens on %s, without a watch', async (from, to) => {
  const { hands } = cluster.member(from)
  const at = (path: string): string => `from-${from}/${path}`
  hands.mkdir(`from-${from}`)
  hands.mkdir(at('deep'))
  hands.write(at('deep/file'), 'first')
  hands.write(at('moved'), 'moved')
  hands.symlink('file', at('deep/link'))
  await cluster.untilLike(from)
  hands.append(at('deep/file'), ' and more')
  hands.rename(at('moved'), at('deep/arrived'))
  hands.chmod(at('deep'), 0o750)
  await cluster.untilLike(from)
  expect(cluster.member(to).hands.read(at('deep/file'))).toBe('first and more')
  hands.remove(at('deep'))
  await cluster.untilLike(from)
  await cluster.untilInSync()
  expect(cluster.members.flatMap(watches)).toEqual([])
})

test('it is no fault: nothing is said to be degraded, and they stop as usual', async () => {
  for (const { process } of cluster.members) {
    const { text } = await process.get('/metrics')
    expect(text).toContain('\nsynd_watch_degraded 0\n')
    expect(text).toContain('\nsynd_inotify_watches 0\n')
    expect((await process.status())?.problems).toEqual([])
  }
  for (const { process } of cluster.members) expect(await process.stop()).toBe(0)
})
