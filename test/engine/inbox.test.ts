import { beforeEach, describe, expect, test } from 'vitest'
import type { Inbox } from '../../src/engine/pull/inbox.ts'
import type { VirtualTime } from '../support/virtual-clock.ts'
import { peer } from '../core/build.ts'
import { engineParts, path, paths } from './parts.ts'

let inbox: Inbox
let time: VirtualTime

beforeEach(() => {
  ;({ inbox, time } = engineParts())
})

function add(...names: readonly string[]): void {
  for (const name of names) inbox.add(path(name))
}

function take(): string[] {
  return inbox.take(100)
}

describe('giving out', () => {
  test('a path announced many times is given out once', () => {
    add('a', 'b', 'a', 'a')
    expect(take()).toEqual(['a', 'b'])
    expect(take()).toEqual([])
  })

  test('a path in the works is not given out again before it is done', () => {
    add('a')
    take()
    add('a')
    expect(take()).toEqual([])
    expect(inbox.busy).toBe(1)
    inbox.done(path('a'))
    expect(take()).toEqual(['a'])
    inbox.done(path('a'))
    expect(inbox.busy).toBe(0)
  })

  test('announcers take turns: who tells of much delays its own only', () => {
    for (let n = 0; n < 1_000; n++) inbox.add(path(`flood-${n}`), peer('b'))
    inbox.add(path('shared'), peer('b'))
    for (const name of ['x', 'y', 'shared']) inbox.add(path(name), peer('c'))
    inbox.add(path('found'))
    expect(inbox.take(7)).toEqual(['flood-0', 'flood-1', 'flood-2', 'found', 'shared', 'x', 'y'])
    const rest = [inbox.take(500), inbox.take(1_000), inbox.take(10)].map(({ length }) => length)
    expect(rest).toEqual([500, 497, 0])
  })

  test('at most as many as asked for, in byte order, the others later', () => {
    add('c', 'b', 'a')
    expect(inbox.take(2)).toEqual(['b', 'c'])
    expect(take()).toEqual(['a'])
  })

  test.each([
    ['parked', () => inbox.park(path('a'), path('d'))],
    ['postponed', () => inbox.postpone(path('a'), 60_000)],
    ['failed', () => inbox.retry(path('a'))],
  ])(
    'what is announced while it is in the works is decided at once though it was %s',
    (_, give) => {
      add('a')
      take()
      add('a')
      give()
      expect([inbox.waiting, take()]).toEqual([0, ['a']])
    },
  )
})

describe('waiting', () => {
  test('a postponed path is given out when it is due, not before, and is not busy meanwhile', async () => {
    add('a')
    take()
    inbox.postpone(path('a'), 1_000)
    expect([inbox.busy, inbox.waiting, inbox.nextDelayMs()]).toEqual([0, 1, 1_000])
    await time.pass(999)
    expect([inbox.nextDelayMs(), take()]).toEqual([1, []])
    await time.pass(1)
    expect([inbox.nextDelayMs(), take()]).toEqual([0, ['a']])
  })

  test('an announcement ends the wait', () => {
    add('a')
    take()
    inbox.postpone(path('a'), 60_000)
    add('a')
    expect([take(), inbox.waiting]).toEqual([['a'], 0])
  })

  test('nothing to wait for is told from something due', () => {
    expect(inbox.nextDelayMs()).toBeNull()
    add('a')
    expect(inbox.nextDelayMs()).toBe(0)
  })

  test('failures in a row wait twice as long each time, a minute at most, until one succeeds', async () => {
    add('a')
    const delays: number[] = []
    for (let failures = 0; failures < 12; failures++) {
      take()
      inbox.retry(path('a'))
      delays.push(inbox.nextDelayMs() ?? 0)
      await time.pass(60_000)
    }
    for (const [index, delayMs] of delays.entries()) {
      const fullMs = Math.min(60_000, 500 * 2 ** index)
      expect(delayMs).toBeGreaterThanOrEqual(fullMs / 2)
      expect(delayMs).toBeLessThanOrEqual(fullMs)
    }
    expect(inbox.attemptsOf(path('a'))).toBe(12)
    take()
    inbox.done(path('a'))
    expect(inbox.attemptsOf(path('a'))).toBe(0)
  })
})

describe('a parked path', () => {
  test.each([
    ['what it waits on is committed', 'd', true],
    ['a child of what it waits on is committed', 'd/x', true],
    ['something deeper is committed', 'd/x/y', false],
    ['something beside it is committed', 'dd', false],
  ])('when %s: decided again: %s %s', (_, committed, isAgain) => {
    add('a')
    take()
    inbox.park(path('a'), path('d'))
    inbox.committed(path(committed))
    expect(take()).toEqual(isAgain ? ['a'] : [])
  })

  test('all that wait on one path are decided again', () => {
    add('a', 'b', 'c')
    take()
    for (const name of ['a', 'b']) inbox.park(path(name), path('d'))
    inbox.park(path('c'), null)
    inbox.committed(path('d'))
    expect(take()).toEqual(['a', 'b'])
  })

  test('that took long to be found waiting is not looked at all the time', async () => {
    add('a')
    take()
    inbox.park(path('a'), path('d'), { tookMs: 4_000 })
    await time.pass(79_999)
    expect(take()).toEqual([])
    await time.pass(1)
    expect(take()).toEqual(['a'])
    inbox.park(path('a'), path('d'), { tookMs: 4_000 })
    inbox.committed(path('d'))
    expect(take()).toEqual(['a'])
  })

  test('is decided again after a while though nothing came', async () => {
    add('a')
    take()
    inbox.park(path('a'), null)
    await time.pass(5_000)
    expect(take()).toEqual(['a'])
  })
})

describe('hurry', () => {
  test('whatever waits is decided again when a peer came', () => {
    add('a', 'b', 'c')
    take()
    inbox.park(path('a'), path('d'))
    inbox.postpone(path('b'), 60_000)
    inbox.retry(path('c'))
    inbox.hurry()
    expect(take()).toEqual(['a', 'b', 'c'])
    expect(inbox.waiting).toBe(0)
  })

  test('what is in the works is not given out twice by it', () => {
    add('a')
    take()
    inbox.hurry()
    expect(take()).toEqual([])
  })
})

describe('the loop that sleeps on it is woken by', () => {
  test.each<[string, () => void]>([
    ['an announcement', () => inbox.add(path('a'))],
    ['a commit that something waits on', () => inbox.committed(path('d'))],
    ['a peer that came', () => inbox.hurry()],
    ['a shorter wait', () => inbox.postpone(path('b'), 10)],
  ])('%s', async (_, wakeUp) => {
    const { clock } = engineParts()
    inbox.add(path('p'))
    take()
    inbox.park(path('p'), path('d'))
    const { signal } = new AbortController()
    await inbox.wake.wait(clock, 0, signal)
    let isAwake = false
    const woken = inbox.wake.wait(clock, null, signal).then(() => (isAwake = true))
    expect(isAwake).toBe(false)
    wakeUp()
    await woken
  })
})

test('paths come out as they went in', () => {
  const odd = paths('\xff', 'a b', 'a\nb')
  for (const one of odd) inbox.add(one)
  expect(take()).toEqual(['a\nb', 'a b', '\xff'])
})
