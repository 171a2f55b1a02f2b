import { expect, test, vi } from 'vitest'
import { parseRelativePath as path } from '../../src/core/relative-path.ts'
import { Recent } from '../../src/store/recent.ts'

const at = (n: number) => path(`f${n}`)

test('what was set lately is there, also that there is nothing', () => {
  const recent = new Recent<number | null>()
  recent.set(path('a'), 1)
  recent.set(path('a'), 2)
  recent.set(path('b'), null)
  expect([recent.get(path('a')), recent.get(path('b')), recent.get(path('c'))]).toStrictEqual([
    2,
    null,
    undefined,
  ])
  recent.clear()
  expect(recent.get(path('a'))).toBeUndefined()
})

test('of very many the latest stay, each as it was set last', () => {
  const recent = new Recent<string>()
  for (let n = 0; n < 60_000; n++) {
    recent.set(at(n), 'old')
    recent.set(at(n), 'new')
  }
  const kept = Array.from({ length: 60_000 }, (_, n) => recent.get(at(n)))
  expect(kept.slice(-16_000)).toStrictEqual(Array.from({ length: 16_000 }, () => 'new'))
  expect(kept.filter((value) => value !== undefined).length).toBeLessThan(40_000)
})

test('what nobody asks for any more is forgotten', () => {
  vi.useFakeTimers()
  try {
    const recent = new Recent<number>()
    recent.set(path('a'), 1)
    for (let n = 0; n < 10; n++) {
      vi.advanceTimersByTime(900)
      expect(recent.get(path('a'))).toBe(1)
    }
    vi.advanceTimersByTime(2_000)
    expect(recent.get(path('a'))).toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
    recent.set(path('a'), 2)
    expect(recent.get(path('a'))).toBe(2)
  } finally {
    vi.useRealTimers()
  }
})
