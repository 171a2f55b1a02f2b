import { beforeEach, expect, test } from 'vitest'
import { Wake } from '../../src/engine/wake.ts'
import { VirtualClock, VirtualTime } from '../support/virtual-clock.ts'

let time: VirtualTime
let wake: Wake
let abort: AbortController
let woken: number

beforeEach(() => {
  time = new VirtualTime()
  wake = new Wake()
  abort = new AbortController()
  woken = 0
})

function sleep(delayMs: number | null): void {
  void wake.wait(new VirtualClock({ time }), delayMs, abort.signal).then(() => woken++)
}

test('a call wakes who waits', async () => {
  sleep(null)
  await time.pass(60_000)
  expect(woken).toBe(0)
  wake.call()
  await time.pass(0)
  expect(woken).toBe(1)
})

test('a call while nobody waits is remembered, once', async () => {
  wake.call()
  wake.call()
  sleep(null)
  await time.pass(0)
  expect(woken).toBe(1)
  sleep(null)
  await time.pass(60_000)
  expect(woken).toBe(1)
})

test('the delay is over by itself, and leaves no call behind', async () => {
  sleep(100)
  await time.pass(99)
  expect(woken).toBe(0)
  await time.pass(1)
  expect(woken).toBe(1)
  sleep(null)
  await time.pass(60_000)
  expect(woken).toBe(1)
})

test('an abort wakes, before and while it waits, and needs no call', async () => {
  sleep(null)
  abort.abort()
  await time.pass(0)
  expect(woken).toBe(1)
  sleep(null)
  await time.pass(0)
  expect(woken).toBe(2)
})

test('a call between being woken and waiting anew is not lost', async () => {
  const clock = new VirtualClock({ time })
  const first = wake.wait(clock, null, abort.signal)
  wake.call()
  await first
  wake.call()
  sleep(null)
  await time.pass(0)
  expect(woken).toBe(1)
})

test('a hundred thousand waits on one signal leave no listener on it', async () => {
  let listeners = 0
  const { signal } = abort
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args))
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (
    listeners--,
    remove(...args)
  )
  for (let n = 0; n < 100; n++) {
    sleep(null)
    wake.call()
    await time.pass(0)
  }
  expect([woken, listeners]).toEqual([100, 0])
})
