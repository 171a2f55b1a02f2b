import { beforeEach, describe, expect, test } from 'vitest'
import type { SequencedEntry } from '../../src/core/protocol.ts'
import { Inbound } from '../../src/engine/links/inbound.ts'
import { Serial } from '../../src/engine/serial.ts'
import { file, peer } from '../core/build.ts'
import { FakeCaller } from './fake-links.ts'
import { engineParts, path } from './parts.ts'

let parts: ReturnType<typeof engineParts>
let inbound: Inbound
let foreign: number

beforeEach(() => {
  parts = engineParts()
  foreign = 0
  inbound = new Inbound({
    ...inboundParts(),
    firstLook: { isDone: true, done: async () => true },
  })
})

function inboundParts() {
  return { ...parts, serial: new Serial(), onForeignCounter: () => void foreign++ }
}

function call(letter: string): FakeCaller {
  const caller = new FakeCaller(letter)
  void inbound.run(caller)
  return caller
}

function entry(sequence: number, name: string, version = `b${sequence}`): SequencedEntry {
  return { sequence, entry: file({ path: name, version, by: version.split(' ')[0] ?? '' }) }
}

describe('an announcement', () => {
  test('rule 16: is in the store, with how far all is recorded, before it is acknowledged', async () => {
    const b = call('b')
    b.announce([entry(3, 'x'), entry(4, 'y')], { upTo: 6 })
    await parts.time.pass(0)
    expect(parts.store.remoteOf(peer('b'), path('y'))?.sequence).toBe(4)
    expect(parts.store.peer(peer('b'))).toMatchObject({ sequence: 6, epoch: b.hello.epoch })
    expect(b.replies.at(-1)).toMatchObject({ kind: 'acknowledgement', recordedUpTo: 6 })
  })

  test('rule 16: is not acknowledged when it could not be stored', async () => {
    parts.store.commit = () => {
      throw new Error('disk full')
    }
    const b = new FakeCaller('b')
    const running = inbound.run(b)
    b.announce([entry(3, 'x')])
    await expect(running).rejects.toThrow('disk full')
    expect(b.replies).toMatchObject([{ recordedUpTo: 0 }])
  })

  test('has what it names decided', async () => {
    call('b').announce([entry(1, 'x'), entry(2, 'y')])
    await parts.time.pass(0)
    expect(parts.inbox.take(10)).toEqual(['x', 'y'])
  })

  test('rule 1: tells when it names a counter of ours that we did not issue', async () => {
    const b = call('b')
    b.announce([entry(1, 'x', `b1 a${parts.self.nextDot().counter}`)])
    await parts.time.pass(0)
    expect(foreign).toBe(0)
    b.announce([entry(2, 'x', `b2 a${parts.self.lastCounter + 1}`)])
    await parts.time.pass(0)
    expect(foreign).toBe(1)
  })
})

describe('a path that waits', () => {
  test('after a failure is not tried sooner because something else is announced', async () => {
    const b = call('b')
    b.announce([entry(1, 'x')])
    await parts.time.pass(0)
    parts.inbox.take(10)
    parts.inbox.retry(path('x'))
    b.announce([entry(2, 'y')])
    await parts.time.pass(0)
    expect(parts.inbox.take(10)).toEqual(['y'])
  })

  test('is decided again when its announcer has told all it had', async () => {
    const b = call('b')
    b.announce([entry(1, 'x')], { head: 2 })
    await parts.time.pass(0)
    parts.inbox.take(10)
    parts.inbox.park(path('x'), path('x'))
    b.announce([entry(2, 'y')], { head: 2 })
    await parts.time.pass(0)
    expect(parts.inbox.take(10)).toEqual(['x', 'y'])
  })
})

describe('before everything was looked at', () => {
  test('rule 18: not all is recorded of who has to wait, nor told as recorded', async () => {
    const looked = Promise.withResolvers<boolean>()
    const firstLook = { isDone: false, done: () => looked.promise }
    inbound = new Inbound({ ...inboundParts(), firstLook })
    const b = call('b')
    b.announce([entry(1, 'x', 'b1')])
    await parts.time.pass(0)
    const receipts = parts.peers.receipts(peer('b'))
    expect(receipts.isComplete).toBe(true)
    b.announce([entry(2, 'x', 'b2')])
    await parts.time.pass(0)
    expect(receipts.isComplete).toBe(false)
    expect(b.replies.at(-1)).toMatchObject({ recordedUpTo: 1 })
    looked.resolve(true)
    await parts.time.pass(0)
    expect(receipts.isComplete).toBe(true)
    expect(b.replies.at(-1)).toMatchObject({ recordedUpTo: 2 })
  })
})

describe('a peer that dials again', () => {
  test('replaces its old stream, and is told everything anew', async () => {
    const first = call('b')
    first.announce([entry(1, 'x')], { upTo: 5 })
    await parts.time.pass(0)
    const second = call('b')
    await parts.time.pass(0)
    expect(first.isClosed).toBe(true)
    expect(parts.peers.callers.get(peer('b'))?.link).toBe(second)
    expect(second.replies).toMatchObject([{ recordedUpTo: 5, ranges: [{ from: 2, to: 5 }] }])
  })

  test('has what was not applied yet decided again', async () => {
    const first = call('b')
    first.announce([entry(1, 'x')])
    await parts.time.pass(0)
    const taken = parts.inbox.take(10)
    for (const one of taken) parts.inbox.done(one)
    call('b')
    await parts.time.pass(0)
    expect(parts.inbox.take(10)).toEqual(['x'])
  })
})

test('rule 17: a thousand ranges and more are told in several acknowledgements', async () => {
  const b = call('b')
  b.announce(Array.from({ length: 1500 }, (_, n) => entry(2 * n + 2, `f${n}`)))
  await parts.time.pass(0)
  const sizes = b.replies.map((reply) =>
    reply.kind === 'acknowledgement' ? reply.ranges.length : 0,
  )
  expect(sizes).toEqual([0, 1000, 500])
})
