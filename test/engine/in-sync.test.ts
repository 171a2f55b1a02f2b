import { afterEach, describe, expect, test } from 'vitest'
import { file, tombstone } from '../core/build.ts'
import { LoneEngine } from './lone-engine.ts'
import { toldFile } from './played-peer.ts'

/** Rule 18: `inSync` and `settled` never lie early. Each test begins in sync and does one thing that ends it. */

let synd: LoneEngine

afterEach(async () => {
  await synd.stop()
})

type Options = Parameters<typeof LoneEngine.start>[0]

/** In sync with b: one file of ours, one of theirs. */
async function inSync(options: Options = {}) {
  synd = await LoneEngine.start(options)
  const b = synd.peer('b')
  b.connect()
  b.announce(toldFile('theirs', 'theirs'))
  synd.hands.write('ours', 'ours')
  await synd.pass(1_000)
  b.acknowledge()
  b.settle()
  await synd.pass(10)
  expect(synd.status.inSync).toBe(true)
  expect(isSettled(b)).toBe(true)
  return b
}

type Played = ReturnType<LoneEngine['peer']>

/** The last that b heard of us is that nothing is unfinished here, as of our last sequence. */
function isSettled({ replies }: Played): boolean {
  const last = replies.findLast((reply) => reply.kind === 'settled')
  return last !== undefined && last.sequence === synd.host.store.lastSequence()
}

describe('rule 18: at the start', () => {
  test('not before the first scan is in the index, though everybody is there', async () => {
    synd = await LoneEngine.start({ peers: [] })
    expect(synd.status.inSync).toBe(false)
    await synd.pass(10)
    expect(synd.status.inSync).toBe(true)
  })

  test('not before the first scan of this life, whatever the life before knew', async () => {
    synd = await LoneEngine.start({ peers: [] })
    await synd.pass(1_000)
    synd = await LoneEngine.start({ peers: [], watchMs: 5_000 }, await synd.stop())
    await synd.pass(4_999)
    expect(synd.status.inSync).toBe(false)
    await synd.pass(100)
    expect(synd.status.inSync).toBe(true)
  })

  test('not while it is joining', async () => {
    synd = await LoneEngine.start({ peers: ['b', 'c'] })
    const b = synd.peer('b', { joining: true })
    b.connect()
    await synd.pass(1_000)
    b.settle()
    await synd.pass(58_000)
    expect(isSettled(b)).toBe(false)
    await synd.pass(10_000)
    expect(isSettled(b)).toBe(true)
  })

  test('not before a peer has said how far its index goes', async () => {
    synd = await LoneEngine.start()
    const b = synd.peer('b')
    b.answer()
    await synd.pass(1_000)
    b.acknowledge()
    b.settle()
    await synd.pass(10)
    expect(synd.status.inSync).toBe(false)
    b.dialIn()
    await synd.pass(2_000)
    expect(synd.status.inSync).toBe(true)
  })
})

describe('rule 18: not in sync any more', () => {
  test('when something changed here, until the peer has applied it', async () => {
    const b = await inSync()
    synd.hands.write('ours', 'ours, changed')
    for (let ms = 1; ms <= 1_000; ms++) {
      await synd.pass(1)
      if (synd.status.inSync) expect(ms).toBe(1)
    }
    expect(synd.status.peers[0]?.pendingChanges).toBe(1)
    b.acknowledge()
    await synd.pass(10)
    expect(synd.status.inSync).toBe(true)
  })

  test.each(['failed', 'refused'] as const)('when the peer says that a change %s', async (kind) => {
    const b = await inSync()
    synd.hands.write('ours', 'ours, changed')
    await synd.pass(100)
    b.acknowledge({ kind, code: 'disk-full' })
    await synd.pass(10_000)
    expect(synd.status.inSync).toBe(false)
    b.acknowledge()
    await synd.pass(10)
    expect(synd.status.inSync).toBe(true)
  })

  test('when the peer has changed something, until it says that this was all', async () => {
    const b = await inSync()
    b.announce(toldFile('theirs', 'theirs, changed', 'b2'))
    await synd.pass(1_000)
    expect(synd.hands.read('theirs')).toBe('theirs, changed')
    expect(synd.status.inSync).toBe(false)
    b.settle()
    await synd.pass(10)
    expect(synd.status.inSync).toBe(true)
  })

  test('when the peer settled before what it announced since', async () => {
    const b = await inSync()
    b.announce(toldFile('theirs', 'theirs, changed', 'b2'))
    await synd.pass(1_000)
    b.acknowledge()
    b.settle(1)
    await synd.pass(10)
    expect(synd.status.inSync).toBe(false)
  })

  test('when the peer has more to tell than it told', async () => {
    const b = await inSync()
    b.announceMore()
    b.settle()
    await synd.pass(1_000)
    expect(synd.status.inSync).toBe(false)
  })

  test('while a file cannot be pulled; nor are we settled', async () => {
    const b = await inSync()
    b.announce(file({ path: 'elsewhere', version: 'b2', by: 'b2' }))
    b.settle()
    await synd.pass(60_000)
    b.acknowledge()
    await synd.pass(10)
    expect(synd.status.inSync).toBe(false)
    expect(synd.status.volume.state).toBe('syncing')
  })

  test('while what was taken back has not come; nor are we settled', async () => {
    synd = await LoneEngine.start({ peers: ['b', 'c'] })
    const b = synd.peer('b')
    b.connect()
    for (let n = 0; n < 20; n++) b.announce(toldFile(`${n}`, `${n}`))
    await synd.pass(3_000)
    expect(synd.status.volume.state).toBe('idle')
    synd.deafen(true)
    for (let n = 0; n < 20; n++) synd.hands.remove(`${n}`)
    await synd.pass(400_000)
    b.forget()
    await synd.engine.rejectDeletes()
    await synd.pass(60_000)
    expect(synd.status.volume.heldDeletes).toBe(0)
    expect(synd.status.volume.state).toBe('syncing')
  })

  test.each<[string, (b: Played) => void]>([
    ['the peer hung up', (b) => b.hangUp()],
    ['the peer announces nothing any more', (b) => b.goSilent()],
    ['another peer is configured that is away', () => synd.configure(['b', 'c'])],
    ['a name has no address', () => synd.configure(['b'], ['dns:peers:1'])],
    ['the volume is gone', () => synd.host.disk.setRootThere(false)],
  ])('when %s', async (_, happen) => {
    const b = await inSync()
    happen(b)
    await synd.pass(10)
    expect(synd.status.inSync).toBe(false)
  })

  test('when something cannot be read; nor are we settled', async () => {
    let isRefused = false
    const refuse = ({ path }: { path: string }) => (isRefused && path === 'ours' ? 'EACCES' : null)
    const b = await inSync({ attach: { refuse } })
    isRefused = true
    synd.hands.write('ours', 'ours, changed')
    await synd.pass(60_000)
    b.acknowledge()
    await synd.pass(10)
    expect(synd.status.inSync).toBe(false)
    expect(synd.status.problems.map(({ code }) => code)).toEqual(['unreadable'])
    isRefused = false
    await synd.pass(60_000)
    expect(synd.status.problems).toEqual([])
  })

  test('while deletes are held; nor are we settled', async () => {
    const b = await inSync()
    for (let n = 0; n < 20; n++) synd.hands.write(`${n}`, `${n}`)
    await synd.pass(1_000)
    synd.deafen(true)
    for (const path of synd.hands.tree().keys()) synd.hands.remove(path)
    await synd.pass(400_000)
    synd.deafen(false)
    b.acknowledge()
    await synd.pass(1_000)
    expect(synd.status.volume.heldDeletes).toBe(22)
    expect(synd.status.inSync).toBe(false)
    expect(synd.status.volume.state).toBe('syncing')
    await synd.engine.approveDeletes()
    await synd.pass(1_000)
    b.acknowledge()
    await synd.pass(10)
    expect(synd.status.inSync).toBe(true)
  })
})

describe('rule 18: still in sync', () => {
  test('when a peer’s delete is found done: nothing stays behind', async () => {
    const b = await inSync()
    b.announce(tombstone({ path: 'theirs', version: 'b2', by: 'b2' }))
    await synd.pass(1_000)
    b.settle()
    b.acknowledge()
    await synd.pass(10)
    expect(synd.tree).toEqual(['ours: f 644 ours'])
    expect(synd.status.inSync).toBe(true)
  })

  test('after a scan that found nothing', async () => {
    await inSync()
    await synd.pass(400_000)
    expect(synd.status.inSync).toBe(true)
  })
})

test('when each peer was last in sync is told', async () => {
  const b = await inSync()
  const inSyncAt = synd.status.peers[0]?.lastSyncTimestamp
  expect(inSyncAt).not.toBeNull()
  b.hangUp()
  await synd.pass(60_000)
  expect(Date.parse(synd.status.peers[0]?.lastSyncTimestamp ?? '')).toBeLessThan(
    Date.parse(inSyncAt ?? '') + 2_000,
  )
})
