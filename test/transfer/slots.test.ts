import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSlots, type Slots } from '../../src/transfer/sink/slots.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const { signal } = new AbortController()

async function takeAll(slots: Slots, count: number): Promise<void> {
  for (let index = 0; index < count; index++) expect(await slots.take(signal)).toBe('taken')
}

/** How many of those who wait get one; they keep it. */
async function waiters(slots: Slots, count: number): Promise<{ readonly served: () => number }> {
  let served = 0
  const wait = async (): Promise<void> => {
    if ((await slots.take(signal)) === 'taken') served++
  }
  for (let index = 0; index < count; index++) void wait()
  await vi.advanceTimersByTimeAsync(0)
  return { served: () => served }
}

/** Uses and closes so many, one after the other. */
async function useInTurn(slots: Slots, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await takeAll(slots, 1)
    slots.free()
  }
}

test('a refusal says that what is in use has to do, and nobody tries again before one is closed', async () => {
  const slots = createSlots(8)
  await takeAll(slots, 6)
  for (let refused = 0; refused < 4; refused++) expect(slots.refuse()).toBe('later')
  const waiting = await waiters(slots, 4)
  await vi.advanceTimersByTimeAsync(60_000)
  expect([slots.inUse(), waiting.served()]).toEqual([2, 0])
  slots.free()
  await vi.advanceTimersByTimeAsync(0)
  expect([slots.inUse(), waiting.served()]).toEqual([2, 1])
})

test('a refusal with none in use makes all wait for a moment, twice as long each time, and only one tries then', async () => {
  const slots = createSlots(8)
  await useInTurn(slots, 1)
  await takeAll(slots, 1)
  expect(slots.refuse()).toBe('later')
  const waiting = await waiters(slots, 5)
  let triedAtMs = Date.now()
  const restsMs: number[] = []
  for (let served = 0; served < 5; served++) {
    while (waiting.served() === served) await vi.advanceTimersByTimeAsync(1)
    expect([slots.inUse(), waiting.served()]).toEqual([1, served + 1])
    restsMs.push(Date.now() - triedAtMs)
    triedAtMs = Date.now()
    expect(slots.refuse()).toBe('later')
  }
  expect(restsMs).toEqual([10, 20, 40, 80, 160])
})

test('the rests are short again after one was opened and closed', async () => {
  const slots = createSlots(8)
  await useInTurn(slots, 1)
  for (let refused = 0; refused < 8; refused++) {
    const waiting = await waiters(slots, 1)
    await vi.advanceTimersByTimeAsync(1000)
    expect(waiting.served()).toBe(1)
    slots.refuse()
  }
  await vi.advanceTimersByTimeAsync(1000)
  await useInTurn(slots, 1)
  await takeAll(slots, 1)
  slots.refuse()
  const waiting = await waiters(slots, 1)
  await vi.advanceTimersByTimeAsync(10)
  expect(waiting.served()).toBe(1)
})

test('one that refuses for seconds what it opened before is lost', async () => {
  const slots = createSlots(8)
  await useInTurn(slots, 1)
  const startedAtMs = Date.now()
  for (;;) {
    const waiting = await waiters(slots, 1)
    await vi.advanceTimersByTimeAsync(1000)
    expect(waiting.served()).toBe(1)
    if (slots.refuse() === 'lost') break
  }
  expect(Date.now() - startedAtMs).toBeGreaterThan(5000)
  slots.close()
  expect(await slots.take(signal)).toBe('over')
})

test('one that refuses the first never opened any, and who waits hears so at once', async () => {
  const slots = createSlots(2)
  await takeAll(slots, 2)
  const waiting = await waiters(slots, 2)
  expect(slots.refuse()).toBe('later')
  expect(slots.refuse()).toBe('never')
  await vi.advanceTimersByTimeAsync(0)
  expect(waiting.served()).toBe(1)
  expect(slots.refuse()).toBe('never')
  await vi.advanceTimersByTimeAsync(0)
  expect(waiting.served()).toBe(2)
})

test('after a refusal one more at once is tried now and then, up to the first count', async () => {
  const slots = createSlots(3)
  await takeAll(slots, 2)
  slots.refuse()
  slots.free()
  const limits: number[] = []
  for (let round = 0; round < 4; round++) {
    const waiting = await waiters(slots, 4)
    limits.push(slots.inUse())
    while (waiting.served() < 4 || slots.inUse() > 0) {
      slots.free()
      await vi.advanceTimersByTimeAsync(0)
    }
    await useInTurn(slots, 4)
  }
  expect(limits).toEqual([1, 2, 3, 3])
})
