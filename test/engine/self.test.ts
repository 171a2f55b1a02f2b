import { beforeEach, describe, expect, test } from 'vitest'
import { parseEpoch } from '../../src/core/peer-id.ts'
import type { Self } from '../../src/engine/self.ts'
import { file, peer } from '../core/build.ts'
import type { MemoryStore } from '../support/memory-store.ts'
import { engineParts, put } from './parts.ts'

type Parts = ReturnType<typeof engineParts>

const here = { volumeMark: 'inode 1', bootId: 'boot 1', isDurable: true }
const anotherBoot = { ...here, bootId: 'boot 2' }
const anotherDisk = { ...here, volumeMark: 'inode 2' }
let parts: Parts

beforeEach(() => {
  parts = engineParts()
})

/** The next start on what the life before left. */
function nextLife(store: MemoryStore = parts.store, seed = 2): Parts {
  return engineParts({ store, seed })
}

describe('rule 1: a start', () => {
  test('is a new epoch, in the index before it is said to anybody, with the last sequence of the one before', () => {
    parts.self.begin(here)
    parts.ledger.commit([put(file({ path: 'x', version: 'a1', by: 'a1' }))])
    const next = nextLife()
    next.self.begin(here)
    expect(next.self.epoch).not.toBe(parts.self.epoch)
    expect(next.store.identity().epochs).toEqual([
      { epoch: parts.self.epoch, lastSequence: 1 },
      { epoch: next.self.epoch, lastSequence: 0 },
    ])
  })

  test('remembers the last thousand', () => {
    for (let seed = 2; seed < 1_010; seed++) nextLife(parts.store, seed).self.begin(here)
    expect(parts.store.identity().epochs).toHaveLength(1_000)
  })

  test.each([
    ['the first', 'none', here, { isUnclean: false, isPowerLoss: false, isRenewed: false }],
    ['after a stop', 'stop', here, { isUnclean: false, isPowerLoss: false, isRenewed: false }],
    ['after a crash', 'crash', here, { isUnclean: true, isPowerLoss: false, isRenewed: false }],
    [
      'after a power loss',
      'crash',
      anotherBoot,
      { isUnclean: true, isPowerLoss: true, isRenewed: false },
    ],
    [
      'after a power loss that may have taken commits',
      'crash',
      { ...anotherBoot, isDurable: false },
      { isUnclean: true, isPowerLoss: true, isRenewed: true },
    ],
    [
      'after a reboot',
      'stop',
      anotherBoot,
      { isUnclean: false, isPowerLoss: false, isRenewed: false },
    ],
    [
      'on a copy of the disk',
      'crash',
      anotherDisk,
      { isUnclean: true, isPowerLoss: false, isRenewed: true },
    ],
  ])('%s knows what it is', (_, before, now, expected) => {
    if (before !== 'none') parts.self.begin(here)
    if (before === 'stop') parts.self.end()
    const next = before === 'none' ? parts : nextLife()
    expect(next.self.begin(now)).toEqual(expected)
    expect(next.self.peerId === peer('a')).toBe(!expected.isRenewed)
    expect(next.store.identity()).toMatchObject({
      peerId: next.self.peerId,
      volumeMark: now.volumeMark,
      isClean: false,
    })
  })

  test('rule 23: after a power loss is one, and so is the next, until the damage is repaired', () => {
    parts.self.begin(here)
    const isLoss: boolean[] = []
    const begin = (seed: number): Self => {
      const { self } = nextLife(parts.store, seed)
      isLoss.push(self.begin(anotherBoot).isPowerLoss)
      return self
    }
    begin(2)
    begin(3).end()
    begin(4).proveBoot()
    begin(5)
    expect(isLoss).toEqual([true, true, true, false])
  })

  test('is clean again only when it ended, and joined once it has joined', () => {
    parts.self.begin(here)
    expect(parts.self.isJoined).toBe(false)
    parts.self.markJoined()
    expect(parts.store.identity()).toMatchObject({ isJoined: true, isClean: false })
    parts.self.end()
    expect(parts.store.identity()).toMatchObject({ isJoined: true, isClean: true })
    expect(nextLife().self.isJoined).toBe(true)
  })
})

describe('rule 1: what another has recorded of us', () => {
  /** The second life: the first ended at sequence 2, this one is at 3. */
  function secondLife(): { first: Parts; second: Parts } {
    parts.self.begin(here)
    for (const name of ['x', 'y'])
      parts.ledger.commit([put(file({ path: name, version: 'a1', by: 'a1' }))])
    const second = nextLife()
    second.self.begin(here)
    second.ledger.commit([put(file({ path: 'z', version: 'a2', by: 'a2' }))])
    return { first: parts, second }
  }

  test.each([
    ['of this life up to its end', 'second', 3, true],
    ['of this life beyond its end', 'second', 4, false],
    ['of the life before up to its end', 'first', 2, true],
    ['of the life before beyond its end', 'first', 3, false],
    ['of a life that we do not know', 'unknown', 0, false],
  ])('%s can be our past: %s', (_, life, sequence, isOurs) => {
    const { first, second } = secondLife()
    const epochs = { first: first.self.epoch, second: second.self.epoch }
    const epoch = life === 'first' || life === 'second' ? epochs[life] : parseEpoch('f'.repeat(16))
    expect(second.self.recognises({ peerId: peer('a'), epoch, sequence })).toBe(isOurs)
  })

  test('of another id is nothing to us', () => {
    parts.self.begin(here)
    const epoch = parseEpoch('f'.repeat(16))
    expect(parts.self.recognises({ peerId: peer('b'), epoch, sequence: 99 })).toBe(true)
  })
})

describe('rule 2: a dot', () => {
  test('never repeats and follows the clock', async () => {
    const first = parts.self.nextDot()
    const second = parts.self.nextDot()
    expect([first, second]).toEqual([
      { peer: peer('a'), counter: parts.clock.nowMs() },
      { peer: peer('a'), counter: parts.clock.nowMs() + 1 },
    ])
    await parts.time.pass(1_000)
    expect(parts.self.nextDot().counter).toBe(parts.clock.nowMs())
  })

  test('is not issued anew when the clock jumped back, in this life or the next', () => {
    const { counter } = parts.self.nextDot()
    parts.ledger.commit([put(file({ path: 'x', version: 'a1', by: 'a1' }))])
    parts.clock.skewMs = -3_600_000
    expect(parts.self.nextDot().counter).toBe(counter + 1)
    const next = nextLife()
    next.clock.skewMs = -3_600_000
    expect(next.self.nextDot().counter).toBe(counter + 1)
  })

  test('of ours that we did not issue is foreign', () => {
    const { counter } = parts.self.nextDot()
    expect([counter, counter + 1].map((other) => parts.self.saw(other))).toEqual([false, true])
  })

  test('that others saw under our id is never issued, though our clock is behind', () => {
    const { counter } = parts.self.nextDot()
    parts.self.saw(counter + 3_600_000)
    parts.self.saw(counter)
    expect(parts.self.nextDot().counter).toBe(counter + 3_600_001)
    expect(parts.self.nextDot().counter).toBe(counter + 3_600_002)
  })
})

describe('rule 1: a new peer id', () => {
  test('is drawn for good, and everything else is kept', () => {
    parts.self.begin(here)
    parts.ledger.commit([put(file({ path: 'x', version: 'a1', by: 'a1' }))])
    const before = parts.store.identity()
    expect(parts.self.renew()).toBe(true)
    expect(parts.self.peerId).not.toBe(peer('a'))
    expect(parts.self.nextDot().peer).toBe(parts.self.peerId)
    expect(parts.store.identity()).toEqual({ ...before, peerId: parts.self.peerId })
    expect(nextLife().self.peerId).toBe(parts.self.peerId)
  })

  test('is drawn at most once a minute', async () => {
    parts.self.begin(here)
    parts.self.renew()
    const { peerId } = parts.self
    await parts.time.pass(59_999)
    expect([parts.self.renew(), parts.self.peerId]).toEqual([false, peerId])
    await parts.time.pass(1)
    expect(parts.self.renew()).toBe(true)
    expect(parts.self.peerId).not.toBe(peerId)
  })
})
