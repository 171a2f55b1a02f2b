import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { ConstantReader } from './constant-reader.ts'
import { judges, type Program } from './judges.ts'

/** That the readers of git.test.ts, npm.test.ts and sqlite.test.ts would see a file that is not whole. */

let directory: string
let remove: () => void
beforeEach(() => {
  ;({ path: directory, remove } = temporaryDirectory())
})
afterEach(() => remove())

/** Every file there that the program's judge reads, whole and cut in half. */
function judged(program: Program): { path: string; whole: string | null; half: string | null }[] {
  const { reads, faultOf } = judges[program]
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return paths
    .filter((path) => reads.test(path))
    .map((path) => {
      const content = readFileSync(join(directory, path))
      const half = content.subarray(0, content.length / 2 - 7)
      return { path, whole: faultOf(path, content), half: faultOf(path, half) }
    })
}

function makeRepository(): void {
  const git = (...words: string[]): void => {
    const who = ['-c', 'user.name=somebody', '-c', 'user.email=somebody@example.org']
    execFileSync('git', [...who, ...words], { cwd: directory, stdio: 'pipe' })
  }
  git('init', '--quiet', '--initial-branch=main')
  for (const name of ['packed', 'loose']) {
    writeFileSync(join(directory, name), `${name}\n`.repeat(100))
    git('add', '--all')
    git('commit', '--quiet', '--message', name)
    if (name === 'packed') git('gc', '--quiet')
  }
}

test('of git: objects, packs and their indexes, the index, branches and HEAD', () => {
  makeRepository()
  const seen = judged('git')
  const kinds = seen.map(({ path }) => /objects\/..\/|\.pack|\.idx|index|main|HEAD/.exec(path)?.[0])
  for (const kind of ['.pack', '.idx', 'index', 'main', 'HEAD']) expect(kinds).toContain(kind)
  expect(kinds.filter((kind) => kind?.startsWith('objects/')).length).toBeGreaterThan(2)
  for (const { path, whole, half } of seen)
    expect([path, whole, half]).toEqual([path, null, expect.any(String)])
})

test('of npm: what a package says of itself', () => {
  mkdirSync(join(directory, 'package'))
  writeFileSync(join(directory, 'package/package.json'), '{ "name": "x", "version": "1.0.0" }')
  expect(judged('npm')).toEqual([
    { path: 'package/package.json', whole: null, half: expect.any(String) },
  ])
})

test('of SQLite: the database and its log', () => {
  const database = new DatabaseSync(join(directory, 'app.db'))
  database.exec('pragma journal_mode = wal; create table t (x); pragma wal_checkpoint')
  database.exec('insert into t values (1)')
  const seen = judged('sqlite')
  database.close()
  expect(seen).toHaveLength(2)
  for (const { path, whole } of seen) expect([path, whole]).toEqual([path, null])
  expect(seen.find(({ path }) => path === 'app.db')?.half).toBe('part of a page')
})

test('who reads all the time finds the one that is not whole, once, and no other', async () => {
  const reader = await ConstantReader.start(directory, 'git')
  makeRepository()
  const objects = judged('git').filter(({ path }) => /objects\/..\//.test(path))
  const torn = objects[0]?.path ?? ''
  truncateSync(join(directory, torn), 10)
  const reading = await reader.end()
  expect(reading.faults).toMatchObject([{ path: torn, sizeBytes: 10 }])
})
