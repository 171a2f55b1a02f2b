import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { Random } from '../support/random.ts'
import { patientMs, untilAtRest } from './at-rest.ts'
import { ConstantReader } from './constant-reader.ts'

const rounds = 4
const files = 60
const seed = Number(process.env['WORK_SEED'] ?? Math.floor(Math.random() * 2 ** 32))

let cluster: Cluster
let reader: ConstantReader | null = null

afterEach(async () => {
  await reader?.terminate()
  await cluster.stop()
}, patientMs)

test(
  `a repository that is worked in while it is synced is whole on the other side whenever it rests, and each of its files at any time (WORK_SEED=${seed})`,
  { timeout: 2 * patientMs },
  async () => {
    const random = new Random(seed)
    cluster = await Cluster.make(['alpha', 'beta'])
    await cluster.start()
    const here = join(cluster.member('alpha').volume, 'repository')
    const there = join(cluster.member('beta').volume, 'repository')
    mkdirSync(here)
    reader = await ConstantReader.start(there, 'git')
    git(here, 'init', '--quiet', '--initial-branch=main')
    edit(here, random, 1)
    commit(here, 'the first')
    for (let round = 0; round < rounds; round++) {
      work(here, random, round)
      if (round % 2 === 1) git(here, 'gc', '--quiet', '--prune=now')
      await untilAtRest(cluster)
      expect(git(there, 'fsck', '--full', '--strict')).toBe('')
      expect(git(there, 'status', '--porcelain')).toBe('')
      const log = git(here, 'log', '--all', '--oneline')
      expect(log.split('\n').length).toBeGreaterThan(5 * (round + 1))
      expect(git(there, 'log', '--all', '--oneline')).toBe(log)
    }
    // What git only reads left nothing behind.
    await untilAtRest(cluster)
    const { versions, faults } = await reader.end()
    expect(faults).toEqual([])
    // It read while they came, and not only what was there at the end.
    expect(versions).toBeGreaterThan(100)
  },
)

/** A branch with commits, some on main meanwhile, the branch rebased and merged; with checkouts to and fro. */
function work(repository: string, random: Random, round: number): void {
  const branch = `feature-${round}`
  git(repository, 'checkout', '--quiet', '-b', branch)
  for (let n = 0; n < 3; n++) {
    edit(repository, random, 0.2)
    commit(repository, `${branch} ${n}`)
  }
  git(repository, 'checkout', '--quiet', 'main')
  for (let n = 0; n < 2; n++) {
    writeFileSync(join(repository, `only-on-main-${round}-${n}`), text(random))
    commit(repository, `main ${round} ${n}`)
  }
  for (let n = 0; n < 3; n++) {
    git(repository, 'checkout', '--quiet', branch)
    git(repository, 'checkout', '--quiet', 'main')
  }
  git(repository, 'rebase', '--quiet', 'main', branch)
  git(repository, 'checkout', '--quiet', 'main')
  git(repository, 'merge', '--quiet', '--ff-only', branch)
}

/** Makes or changes about that share of the files. */
function edit(repository: string, random: Random, share: number): void {
  for (let n = 0; n < files; n++) {
    if (!random.isLikely(share)) continue
    const directory = join(repository, `directory-${n % 7}`, `below-${n % 3}`)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `file-${n}`), text(random))
  }
  writeFileSync(join(repository, 'always'), text(random))
}

function text(random: Random): string {
  return Array.from({ length: 1 + random.below(200) }, () => `${random.id64()}\n`).join('')
}

function commit(repository: string, message: string): void {
  git(repository, 'add', '--all')
  git(repository, 'commit', '--quiet', '--message', message)
}

/** What git printed, errors of its own too; it takes no settings from this machine and writes nothing that it need not. */
function git(repository: string, ...words: string[]): string {
  return execFileSync('git', words, {
    cwd: repository,
    encoding: 'utf8',
    stdio: 'pipe',
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: repository,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_AUTHOR_NAME: 'somebody',
      GIT_AUTHOR_EMAIL: 'somebody@example.org',
      GIT_COMMITTER_NAME: 'somebody',
      GIT_COMMITTER_EMAIL: 'somebody@example.org',
    },
  })
}
