import { afterEach, expect, test, vi } from 'vitest'
import type { Entry } from '../../src/core/entry.ts'
import { SyndError } from '../../src/core/errors.ts'
import { tombstone } from '../core/build.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { LoneEngine } from './lone-engine.ts'
import { path } from './parts.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** Rule 10: what a life put on the disk and could not record any more, when the announcer has gone on since. */

let synd: LoneEngine

afterEach(async () => {
  await synd.stop()
})

/** The first scan of each life after the first comes so long after its peers. */
const watchMs = 1_000

/** We hold `f` as b announced it first; b has announced `entry` since, and cannot give its bytes. */
async function announced(entry: Entry): Promise<void> {
  synd = await LoneEngine.start()
  const b = synd.peer('b')
  b.connect()
  b.announce(toldFile('f', 'first'))
  await synd.pass(10_000)
  expect(synd.tree).toEqual(['f: f 644 first'])
  b.forget()
  b.announce(entry)
  await synd.pass(1_000)
  expect(synd.tree).toEqual(['f: f 644 first'])
}

/** As if we had been killed between the disk and the index; b is there again, and the first scan is still to come. */
async function killedAfter(
  entry: Entry,
  content: string,
  options: { readonly watchMs?: number } = {},
): Promise<PlayedPeer> {
  const left = await synd.kill()
  const hands = memoryHands(left.disk)
  hands.write(entry.path, content)
  hands.setMtime(entry.path, entry.mtimeUs)
  return nextLife(left, options)
}

async function nextLife(
  left: Awaited<ReturnType<LoneEngine['kill']>>,
  options: { readonly watchMs?: number } = {},
): Promise<PlayedPeer> {
  synd = await LoneEngine.start({ watchMs, ...options }, left)
  const b = synd.peer('b')
  b.connect()
  return b
}

/** What was announced of a path that is none of b's versions. */
function ownVersions(b: PlayedPeer, ...theirs: readonly Entry[]): Entry[] {
  return b.heard
    .flatMap(({ entries }) => entries)
    .map(({ entry }) => entry)
    .filter((entry) => !theirs.some(({ version }) => isSame(version, entry.version)))
}

function isSame(a: Entry['version'], b: Entry['version']): boolean {
  return a.size === b.size && [...a].every(([id, counter]) => b.get(id) === counter)
}

const [first] = toldFile('f', 'first')
const [made] = toldFile('g', 'made')
const [second] = toldFile('f', 'second', 'b2')
const third = toldFile('f', 'third', 'b3')
const gone = tombstone({ path: 'g', version: 'b2', by: 'b2' })

test('rule 10: a file that its maker deleted meanwhile does not come back', async () => {
  await announced(made)
  const b = await killedAfter(made, 'made')
  b.announce(gone)
  await synd.pass(60_000)
  expect(synd.tree).toEqual(['f: f 644 first'])
  expect(ownVersions(b, first, made, gone)).toEqual([])
  expect(synd.host.store.get(path('g'))?.entry).toEqual(gone)
})

test('rule 10: a file that its maker changed meanwhile has no conflict', async () => {
  await announced(second)
  const b = await killedAfter(second, 'second')
  b.announce(third)
  await synd.pass(60_000)
  expect(synd.tree).toEqual(['f: f 644 third'])
  expect(ownVersions(b, first, second, third[0])).toEqual([])
})

test('rule 10: nor has it when the next life is killed too before it has looked', async () => {
  await announced(second)
  const b = await killedAfter(second, 'second')
  b.announce(third)
  await synd.pass(watchMs / 2)
  const again = await nextLife(await synd.kill())
  again.announce(third)
  await synd.pass(60_000)
  expect(synd.tree).toEqual(['f: f 644 third'])
  expect(ownVersions(again, first, second, third[0])).toEqual([])
})

test('rule 10: a large file that is looked at twice does not come back either', async () => {
  const content = 'x'.repeat(2 * 1024 * 1024)
  const [large] = toldFile('g', content)
  await announced(large)
  // Younger than what is quiet for sure: the first scan leaves it for a second look.
  const b = await killedAfter(large, content, { watchMs: 0 })
  b.announce(gone)
  await synd.pass(60_000)
  expect([...synd.hands.tree().keys()]).toEqual(['f'])
})

test('rule 18: nobody is in sync who has not recorded what he was told', async () => {
  await announced(second)
  const b = await killedAfter(second, 'second')
  b.announce(third)
  b.settle()
  await synd.pass(watchMs / 2)
  expect(synd.status.inSync).toBe(false)
  expect(b.replies.at(-1)).not.toMatchObject({ kind: 'settled' })
})

test('rule 16: what overwrites nothing that may be on the disk is recorded at once', async () => {
  await announced(second)
  const left = await synd.kill()
  const b = await nextLife(left)
  const [other] = toldFile('h', 'other')
  b.announce(other)
  await synd.pass(watchMs / 2)
  expect([...synd.host.store.unequalRemote()].map(({ entry }) => entry.path)).toEqual(['f', 'h'])
})

test('what comes while everything is looked at is dropped by who is stopped, not recorded', async () => {
  await announced(second)
  const b = await killedAfter(second, 'second')
  b.announce(third)
  await synd.pass(watchMs / 2)
  const left = await synd.stop()
  expect([...left.store.unequalRemote()].map(({ entry }) => entry)).toEqual([second])
})

/** b gives what it announces, and the index has no room for that; gives what makes room. */
async function appliedWithoutRoom(
  b: PlayedPeer,
  entry: Entry,
  content: string,
): Promise<() => void> {
  const { store } = synd.host
  const commit = store.commit.bind(store)
  const full = vi.spyOn(store, 'commit').mockImplementation((transaction) => {
    if ((transaction.records ?? []).length > 0) throw new SyndError('no-space', 'no room')
    commit(transaction)
  })
  b.announce([entry, content])
  await synd.pass(5_000)
  expect(synd.hands.read(entry.path)).toBe(content)
  return () => full.mockRestore()
}

test.each([0, 400, 5_000])(
  'rule 10: a file that was put here while the index had no room does not come back when it is deleted (%i ms)',
  async (afterMs) => {
    await announced(second)
    const b = synd.peer('b')
    const makeRoom = await appliedWithoutRoom(b, made, 'made')
    b.announce(gone)
    await synd.pass(afterMs)
    makeRoom()
    await synd.pass(60_000)
    expect(synd.tree).toEqual(['f: f 644 first'])
    expect(ownVersions(b, first, made, gone)).toEqual([])
  },
)

test('rule 10: a file that was put here while the index had no room has no conflict when it is changed', async () => {
  await announced(second)
  const b = synd.peer('b')
  const makeRoom = await appliedWithoutRoom(b, second, 'second')
  b.announce(third)
  await synd.pass(1_000)
  makeRoom()
  await synd.pass(60_000)
  expect(synd.tree).toEqual(['f: f 644 third'])
  expect(ownVersions(b, first, second, third[0])).toEqual([])
})
