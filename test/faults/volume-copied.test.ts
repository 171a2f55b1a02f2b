import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Cluster, type Member } from '../e2e/cluster.ts'
import { untilAtRest } from './at-rest.ts'

// For a slow, busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const files = 30

let cluster: Cluster
let alpha: Member
let beta: Member
let gamma: Member

/** With the index elsewhere where the name is said. */
async function start(elsewhere: string | null = null): Promise<void> {
  cluster = await Cluster.make(['alpha', 'beta', 'gamma'], {
    settingsOf: (name) =>
      name === elsewhere ? { SYND_STATE_DIR: mkdtempSync(join(tmpdir(), 'synd-state-')) } : {},
  })
  alpha = cluster.member('alpha')
  beta = cluster.member('beta')
  gamma = cluster.member('gamma')
  for (let n = 0; n < files; n++) alpha.hands.write(`file-${n}`, `content ${n}`)
  for (const { process } of cluster.members) process.start()
  await untilAtRest(cluster)
}

afterEach(async () => cluster.stop())

/** With everything: `.synd`, times, modes. */
function copy(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  execFileSync('cp', ['-a', from, to])
}

describe('a volume copied with its .synd', () => {
  beforeEach(async () => start())

  test('is one more peer where both run: each has an id of its own, and what each changes is everywhere (rule 1)', async () => {
    await alpha.process.stop()
    await gamma.process.stop()
    copy(alpha.volume, gamma.volume)
    alpha.hands.write('file-0', 'of the one')
    gamma.hands.write('file-0', 'of the copy')
    gamma.hands.write('only the copy', 'x')
    gamma.hands.remove('file-1')
    beta.hands.write('file-2', 'of a third')
    for (const { process } of [alpha, gamma]) process.start()
    await untilAtRest(cluster)
    const ids = await Promise.all(
      cluster.members.map(async ({ process }) => (await process.status())?.peer.id),
    )
    expect(new Set(ids).size).toBe(3)
    expect(contents()).toEqual(expect.arrayContaining(['of the one', 'of the copy']))
    expect(beta.hands.read('only the copy')).toBe('x')
    expect(beta.hands.read('file-1')).toBeNull()
    expect(alpha.hands.read('file-2')).toBe('of a third')
    alpha.hands.write('file-3', 'later, of the one')
    gamma.hands.write('file-4', 'later, of the copy')
    await untilAtRest(cluster)
    expect(beta.hands.read('file-3')).toBe('later, of the one')
    expect(beta.hands.read('file-4')).toBe('later, of the copy')
    // 30, one less, one more, and the copy of file-0.
    expect(beta.hands.tree().size).toBe(files + 1)
  })

  test('and put back later deletes nothing on the others and takes no edit back (rule 1)', async () => {
    await alpha.process.stop()
    const backup = `${alpha.volume}-backup`
    copy(alpha.volume, backup)
    alpha.process.start()
    await untilAtRest(cluster)
    const expected = await changeEverywhere()
    await alpha.process.kill()
    copy(backup, alpha.volume)
    alpha.process.start()
    await untilAtRest(cluster)
    expectAsBefore(expected)
  })
})

test('a volume put back from a copy, with its index elsewhere, deletes nothing on the others and takes no edit back; what is old in it is kept aside (rule 20)', async () => {
  await start('alpha')
  await alpha.process.stop()
  const backup = `${alpha.volume}-backup`
  copy(alpha.volume, backup)
  alpha.process.start()
  await untilAtRest(cluster)
  const expected = await changeEverywhere()
  await alpha.process.stop()
  copy(backup, alpha.volume)
  alpha.process.start()
  await untilAtRest(cluster)
  expect(alpha.process.output).toContain('another volume')
  const now = beta.hands.tree()
  const aside = [...now].filter(([path]) => !expected.has(path))
  expect(new Map([...now].filter(([path]) => expected.has(path)))).toEqual(expected)
  expect(aside.map(([, shown]) => shown)).toEqual([0, 1, 2].map((n) => `f 644 content ${n}`))
  expect(aside.every(([path]) => path.includes('.sync-conflict-'))).toBe(true)
})

test('another volume in the place of the one that the index elsewhere knows deletes nothing (rule 20)', async () => {
  await start('alpha')
  await alpha.process.stop()
  rmSync(alpha.volume, { recursive: true })
  mkdirSync(alpha.volume)
  alpha.hands.write('file-1', 'of another volume')
  alpha.hands.write('its own', 'x')
  alpha.process.start()
  await untilAtRest(cluster)
  expect(alpha.process.output).toContain('another volume')
  expect(beta.hands.read('file-1')).toBe('content 1')
  expect(contents()).toEqual(expect.arrayContaining(['of another volume', 'x']))
  expect(beta.hands.tree().size).toBe(files + 2)
})

/** Edits and new files by all, deletes by beta; gives what is there then. */
async function changeEverywhere(): Promise<ReadonlyMap<string, string>> {
  for (const [n, { hands, name }] of cluster.members.entries()) {
    hands.write(`file-${n}`, `edited by ${name}`)
    hands.write(`new of ${name}`, name)
  }
  await untilAtRest(cluster)
  return beta.hands.tree()
}

function expectAsBefore(expected: ReadonlyMap<string, string>): void {
  for (const { hands } of cluster.members) expect(hands.tree()).toEqual(expected)
}

/** Of all files that beta has. */
function contents(): string[] {
  return [...beta.hands.tree().values()].map((shown) => shown.slice('f 644 '.length))
}
