import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { readTree, treeDifference } from './tree.ts'
import { until } from './wait.ts'

const root = join(import.meta.dirname, '..', '..')
let cluster: Cluster

afterEach(async () => cluster.stop())

test('a clone of this repository with its node_modules arrives byte for byte, and git agrees', async () => {
  cluster = await Cluster.make(['alpha', 'beta'])
  await cluster.start()
  const alpha = cluster.member('alpha')
  const beta = cluster.member('beta')
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, join(alpha.volume, 'clone')])
  cpSync(join(root, 'node_modules'), join(alpha.volume, 'clone', 'node_modules'), {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
  })
  await until(
    async () => {
      const statuses = await Promise.all(cluster.members.map(({ process }) => process.status()))
      const files = statuses.map(
        (status) => `${status?.volume.files} files, in sync: ${status?.inSync}`,
      )
      return statuses.every((status) => status?.inSync === true) ? null : files.join('; ')
    },
    { deadlineMs: 540_000, everyMs: 500 },
  )
  expect(treeDifference(readTree(alpha.volume), readTree(beta.volume))).toBeNull()
  expect(readTree(beta.volume).size).toBeGreaterThan(5_000)
  const clone = join(beta.volume, 'clone')
  execFileSync('git', ['-c', 'safe.directory=*', 'fsck', '--full'], { cwd: clone, stdio: 'pipe' })
  const changed = execFileSync('git', ['-c', 'safe.directory=*', 'status', '--porcelain'], {
    cwd: clone,
    encoding: 'utf8',
  })
  expect(changed).toBe('')
}, 600_000)
