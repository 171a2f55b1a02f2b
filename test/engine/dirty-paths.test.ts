import { beforeEach, describe, expect, test } from 'vitest'
import { DirtyPaths } from '../../src/engine/publish/dirty-paths.ts'
import { observation } from '../conformance/store-fixtures.ts'
import { path } from './parts.ts'

const p = path('p')
let dirty: DirtyPaths

beforeEach(() => {
  dirty = new DirtyPaths()
})

function taken(nowMs: number): string[] {
  return dirty.takeDue(nowMs).paths.map(({ path }) => path)
}

describe('a dirty path', () => {
  test('that changed once is due at once, and taken once', () => {
    dirty.add(p, 100)
    expect([dirty.nextDueMs(), dirty.size, dirty.has(p)]).toEqual([100, 1, true])
    expect(taken(100)).toEqual(['p'])
    expect([dirty.nextDueMs(), dirty.size, dirty.has(p)]).toEqual([null, 0, false])
  })

  test('with a delay is not due before', () => {
    dirty.add(p, 100, { delayMs: 50 })
    expect([taken(149), dirty.nextDueMs(), taken(150)]).toEqual([[], 150, ['p']])
  })

  test('that changes again is due when the sooner of the two is', () => {
    dirty.add(p, 100, { delayMs: 10_000 })
    dirty.add(p, 200)
    dirty.add(p, 300, { delayMs: 10_000 })
    expect(dirty.nextDueMs()).toBe(200)
  })

  test('keeps what any of its hints asked for, until it is taken', () => {
    const asked = ['isTree', 'isListed', 'mustHash', 'isTold'] as const
    for (const one of asked) dirty.add(p, 0, { [one]: true })
    dirty.add(p, 0)
    const [all] = dirty.takeDue(0).paths
    dirty.add(p, 0)
    const [nothing] = dirty.takeDue(0).paths
    expect(asked.map((one) => [all?.[one], nothing?.[one]])).toEqual(asked.map(() => [true, false]))
  })

  test('comes in the order of bytes', () => {
    for (const name of ['b', 'a/b', 'a', 'a b']) dirty.add(path(name), 0)
    expect(taken(0)).toEqual(['a', 'a b', 'a/b', 'b'])
  })
})

test('a full scan and a listing of the root are due at once, and once', () => {
  dirty.addFullScan()
  dirty.addRootList()
  expect([dirty.size, dirty.nextDueMs()]).toEqual([1, 0])
  expect(dirty.takeDue(0)).toEqual({ paths: [], isFullScan: true, isRootList: true })
  expect(dirty.takeDue(0)).toEqual({ paths: [], isFullScan: false, isRootList: false })
  expect(dirty.size).toBe(0)
})

test('what could not be dealt with is due again, whole', () => {
  dirty.add(p, 0, { isTree: true, mustHash: true, isTold: true })
  dirty.addFullScan()
  const scope = dirty.takeDue(0)
  dirty.putBack(scope, 10)
  expect(dirty.takeDue(10)).toEqual(scope)
})

describe('rule 15: a path that changes all the time', () => {
  /** Changes every ms and is published whenever it is due; the pauses between. */
  function pauses(count: number): number[] {
    const found: number[] = []
    let lastMs = 0
    dirty.published(p, 0)
    while (found.length < count) {
      dirty.add(p, lastMs + 1)
      const nowMs = dirty.nextDueMs() ?? 0
      dirty.takeDue(nowMs)
      dirty.published(p, nowMs)
      found.push(nowMs - lastMs)
      lastMs = nowMs
    }
    return found
  }

  test('is published less and less often, every 10 s in the end', () => {
    expect(pauses(11)).toEqual([50, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000])
  })

  test('starts over when it was quiet for a while', () => {
    pauses(4)
    const quietMs = 750 + 4 * 800
    dirty.published(p, quietMs)
    dirty.add(p, quietMs)
    expect(dirty.nextDueMs()).toBe(quietMs + 50)
  })

  test('holds up no other', () => {
    pauses(9)
    dirty.add(path('q'), 23_000)
    expect(dirty.nextDueMs()).toBe(23_000)
  })

  test('is as any other once it has cooled', () => {
    dirty.published(p, 0)
    dirty.cool(199)
    dirty.add(p, 20)
    expect(dirty.nextDueMs()).toBe(50)
    dirty.takeDue(50)
    dirty.cool(201)
    dirty.add(p, 20)
    expect(dirty.nextDueMs()).toBe(20)
  })
})

describe('a file that must be quiet', () => {
  const looks = (...sizes: readonly (readonly [nowMs: number, sizeBytes: number])[]): boolean[] =>
    sizes.map(([nowMs, sizeBytes]) =>
      dirty.isQuiet(p, observation({ sizeBytes }), { nowMs, quietMs: 150 }),
    )

  test('is not at the first look, and is looked at again', () => {
    expect(looks([0, 1])).toEqual([false])
    expect(dirty.nextDueMs()).toBe(150)
  })

  test.each<[string, readonly (readonly [number, number])[], readonly boolean[]]>([
    [
      'unchanged for long enough',
      [
        [0, 1],
        [150, 1],
      ],
      [false, true],
    ],
    [
      'unchanged, but looked at too soon',
      [
        [0, 1],
        [149, 1],
        [150, 1],
      ],
      [false, false, true],
    ],
    [
      'changed meanwhile',
      [
        [0, 1],
        [150, 2],
        [300, 2],
      ],
      [false, false, true],
    ],
    [
      'changed and back',
      [
        [0, 1],
        [100, 2],
        [150, 1],
      ],
      [false, false, false],
    ],
    [
      'changed at every look, for 10 s',
      [
        [0, 1],
        [5000, 2],
        [9999, 3],
        [10_000, 4],
      ],
      [false, false, false, true],
    ],
  ])('%s', (_, observed, quiet) => {
    expect(looks(...observed)).toEqual(quiet)
  })

  test('waits anew when it is written after it was published', () => {
    looks([0, 1], [150, 1])
    dirty.published(p, 150)
    expect(looks([12_000, 2])).toEqual([false])
  })

  test('waits anew when it is written after it was quiet, though nothing came of it', () => {
    looks([0, 1], [150, 1])
    expect(looks([12_000, 2])).toEqual([false])
  })
})
