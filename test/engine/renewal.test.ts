import { afterEach, describe, expect, test } from 'vitest'
import { parseEpoch } from '../../src/core/peer-id.ts'
import { peer } from '../core/build.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { LoneEngine } from './lone-engine.ts'
import { path } from './parts.ts'
import { toldFile } from './played-peer.ts'

/** Rule 1, as the others see it. */

let synd: LoneEngine

afterEach(async () => {
  await synd.stop()
})

/** A life that has met b and ended, with `f` in its index. */
async function lived(): ReturnType<LoneEngine['stop']> {
  synd = await LoneEngine.start()
  const b = synd.peer('b')
  b.connect()
  synd.hands.write('f', 'ours')
  await synd.pass(1_000)
  expect(synd.host.store.identity().isJoined).toBe(true)
  return synd.stop()
}

describe('rule 1: at a start local changes are stamped', () => {
  test('not before 10 s, where nobody says Hello', async () => {
    const host = await lived()
    memoryHands(host.disk).write('g', 'new')
    synd = await LoneEngine.start({}, host)
    await synd.pass(9_900)
    expect(host.store.get(path('g'))).toBeNull()
    await synd.pass(1_000)
    expect(host.store.get(path('g'))?.entry.kind).toBe('file')
  })

  test('as soon as every peer said Hello', async () => {
    const host = await lived()
    memoryHands(host.disk).write('g', 'new')
    synd = await LoneEngine.start({}, host)
    await synd.pass(3_000)
    expect(host.store.get(path('g'))).toBeNull()
    synd.peer('b').connect()
    await synd.pass(1_000)
    expect(host.store.get(path('g'))?.entry.kind).toBe('file')
  })
})

describe('rule 1: a new peer id is drawn, and the entries are kept,', () => {
  test.each([
    ['of a life that it does not know', { epoch: parseEpoch('9'.repeat(16)), sequence: 1 }],
    ['of more than it has ever announced', { epoch: null, sequence: 1_000 }],
  ])('by who is told %s', async (_, { epoch, sequence }) => {
    const host = await lived()
    const { epochs } = host.store.identity()
    const known = host.store.get(path('f'))?.entry
    const recorded = {
      peerId: peer('a'),
      epoch: epoch ?? epochs.at(-1)?.epoch ?? parseEpoch('0'.repeat(16)),
      sequence,
    }
    synd = await LoneEngine.start({}, host)
    const b = synd.peer('b', { recorded: [recorded] })
    b.connect()
    await synd.pass(1_000)
    expect(synd.status.peer.id).not.toBe(peer('a'))
    expect(host.store.get(path('f'))?.entry).toEqual(known)
    expect(synd.tree).toEqual(['f: f 644 ours'])
  })

  test('by who is told a counter of its own that it did not issue', async () => {
    const host = await lived()
    synd = await LoneEngine.start({}, host)
    const b = synd.peer('b')
    b.connect()
    await synd.pass(1_000)
    expect(synd.status.peer.id).toBe(peer('a'))
    b.announce(toldFile('g', 'ours, as if', `a${Number.MAX_SAFE_INTEGER}`))
    await synd.pass(1_000)
    expect(synd.status.peer.id).not.toBe(peer('a'))
  })
})
