import { beforeEach, describe, expect, test } from 'vitest'
import type { RelativePath } from '../../src/core/relative-path.ts'
import type { Scanned, Scope } from '../../src/engine/publish/scan.ts'
import { Vanishing } from '../../src/engine/publish/vanishing.ts'
import { observation, recordOf } from '../conformance/store-fixtures.ts'
import { directory } from '../core/build.ts'
import { path, paths } from './parts.ts'

let vanishing: Vanishing
let nowMs: number

beforeEach(() => {
  vanishing = new Vanishing()
  nowMs = 0
})

interface Round {
  /** What events told of. */
  readonly told?: readonly string[]
  /** What is looked at without an event. */
  readonly looked?: readonly string[]
  readonly isFullScan?: boolean
  readonly gone?: readonly string[]
  readonly present?: readonly string[]
  /** Directories of the index that something else has taken the name of. */
  readonly replaced?: readonly string[]
  /** Since the end of the round before. */
  readonly afterMs?: number
}

/** One round that takes 5 ms; what is confirmed (`!` when no event told of it) and what is fresh. */
function round(parts: Round) {
  const { told = [], looked = [], isFullScan = false, afterMs = 100 } = parts
  const { gone = [], present = [], replaced = [] } = parts
  const scanned: Scanned = {
    different: new Map(
      paths(...replaced).map((at) => {
        const record = recordOf(directory({ path: at, version: 'a1', by: 'a1' }), 1)
        return [at, { path: at, observation: observation(), record }]
      }),
    ),
    gone: new Set(paths(...gone)),
    present: new Set(paths(...present)),
    unreadable: new Set(),
    ignored: new Set(),
    ignoredCount: 0,
    rootUnreadable: null,
  }
  const dirty = (isTold: boolean) => (at: RelativePath) => ({
    path: at,
    isTree: false,
    isListed: false,
    mustHash: false,
    isTold,
  })
  const scope: Scope = {
    paths: [...paths(...told).map(dirty(true)), ...paths(...looked).map(dirty(false))],
    isFullScan,
    isRootList: false,
  }
  const startMs = nowMs + afterMs
  nowMs = startMs + 5
  const { confirmed, fresh } = vanishing.confirm(scanned, scope, { startMs, nowMs })
  const names = [...confirmed].map(([at, { isSilent }]) => (isSilent ? `!${at}` : at))
  return { confirmed: names, fresh: [...fresh] }
}

describe('rule 15: a path that is gone', () => {
  test('is confirmed by the round after it was first seen gone, not before', () => {
    expect(round({ told: ['a'], gone: ['a'] })).toEqual({ confirmed: [], fresh: ['a'] })
    expect(vanishing.size).toBe(1)
    expect(round({ told: ['a'], gone: ['a'] })).toEqual({ confirmed: ['a'], fresh: [] })
    vanishing.forget(path('a'))
    expect(vanishing.size).toBe(0)
  })

  test('and is there again in the next round was never deleted', () => {
    round({ told: ['a'], gone: ['a'] })
    expect(round({ told: ['a'], present: ['a'] })).toEqual({ confirmed: [], fresh: [] })
    expect(vanishing.size).toBe(0)
    expect(round({ told: ['a'], gone: ['a'] })).toEqual({ confirmed: [], fresh: ['a'] })
  })

  test('between a peer’s delete on the disk and its commit does not stay: then the index says so too', () => {
    round({ told: ['a'], gone: ['a'] })
    expect(round({ told: ['a'] })).toEqual({ confirmed: [], fresh: [] })
    expect(vanishing.size).toBe(0)
  })

  test('nor does it when a full scan is the next to look', () => {
    round({ told: ['a'], gone: ['a'] })
    round({ isFullScan: true })
    expect(vanishing.size).toBe(0)
  })

  test('stays as long as nobody looks at it', () => {
    round({ told: ['a'], gone: ['a'] })
    round({ told: ['b'], present: ['b'] })
    expect(vanishing.size).toBe(1)
    expect(round({ told: ['a'], gone: ['a'] })).toEqual({ confirmed: ['a'], fresh: [] })
  })

  test('is not confirmed before it has been gone for a while, however often it is looked at', () => {
    round({ told: ['a'], gone: ['a'] })
    expect(round({ told: ['a'], gone: ['a'], afterMs: 0 })).toEqual({ confirmed: [], fresh: ['a'] })
    expect(round({ looked: ['a'], gone: ['a'], afterMs: 90 })).toEqual({
      confirmed: [],
      fresh: ['a'],
    })
    expect(round({ looked: ['a'], gone: ['a'], afterMs: 0 })).toEqual({
      confirmed: ['a'],
      fresh: [],
    })
  })
})

describe('rule 19: a path is gone silently', () => {
  test('when a full scan found it, and no event told of it by the time it is confirmed', () => {
    round({ isFullScan: true, told: ['a'], gone: ['a', 'b', 'late'] })
    round({ told: ['c'], gone: ['c'] })
    const all = ['a', 'b', 'c', 'late']
    const { confirmed } = round({ looked: ['a', 'b', 'c'], told: ['late'], gone: all })
    expect(confirmed).toEqual(['a', '!b', 'c', 'late'])
  })

  test('not when it went with a directory that an event told of', () => {
    const gone = ['d', 'd/e', 'd/e/f', 'g', 'g/h']
    round({ isFullScan: true, told: ['d'], gone })
    expect(round({ looked: gone, gone }).confirmed).toEqual(['d', 'd/e', 'd/e/f', '!g', '!g/h'])
  })

  test('though an event told of its directory, where that is still there', () => {
    round({ isFullScan: true, told: ['d'], present: ['d'], gone: ['d/e'] })
    expect(round({ looked: ['d/e'], gone: ['d/e'] }).confirmed).toEqual(['!d/e'])
  })

  test('though an event tells that its directory went, where it was missing in that before', () => {
    round({ isFullScan: true, present: ['d', 'd/f'], gone: ['d/e'] })
    const gone = ['d', 'd/e', 'd/f']
    expect(round({ told: ['d'], looked: ['d/e'], gone }).confirmed).toEqual(['!d/e'])
    expect(round({ looked: gone, gone }).confirmed).toEqual(['d', '!d/e', 'd/f'])
  })
})

describe('rule 15: a directory that gave way to something else', () => {
  test('is confirmed as what is gone, together with what was in it', () => {
    const seen = { told: ['d', 'd/x'], replaced: ['d'], present: ['d'], gone: ['d/x'] }
    expect(round(seen).fresh).toEqual(['d/x', 'd'])
    expect(round(seen).confirmed).toEqual(['d/x', 'd'])
  })

  test('and is one again is forgotten', () => {
    round({ told: ['d'], replaced: ['d'], present: ['d'] })
    round({ told: ['d'], present: ['d'] })
    expect(vanishing.size).toBe(0)
  })
})
