import { beforeEach, describe, expect, test } from 'vitest'
import type { Scanned, Scope } from '../../src/engine/publish/scan.ts'
import { Vanishing } from '../../src/engine/publish/vanishing.ts'
import { observation, recordOf } from '../conformance/store-fixtures.ts'
import { directory } from '../core/build.ts'
import { path, paths } from './parts.ts'

let vanishing: Vanishing

beforeEach(() => {
  vanishing = new Vanishing()
})

interface Round {
  readonly told?: readonly string[]
  readonly isFullScan?: boolean
  readonly gone?: readonly string[]
  readonly present?: readonly string[]
  /** Directories of the index that something else has taken the name of. */
  readonly replaced?: readonly string[]
}

/** One round; what is confirmed (`!` when no event told of it) and what is fresh. */
function round({ told = [], isFullScan = false, gone = [], present = [], replaced = [] }: Round) {
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
    rootUnreadable: null,
  }
  const scope: Scope = {
    paths: paths(...told).map((at) => ({
      path: at,
      isTree: false,
      isListed: false,
      mustHash: false,
    })),
    isFullScan,
    isRootList: false,
  }
  const { confirmed, fresh } = vanishing.confirm(scanned, scope)
  const names = [...confirmed].map(([at, { isSilent }]) => (isSilent ? `!${at}` : at))
  return { confirmed: names, fresh: [...fresh] }
}

describe('a path that is gone', () => {
  test('is confirmed by the round after it was first seen gone, not before (rule 15)', () => {
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

  test('is gone silently when a full scan found it and no event told of it (rule 19)', () => {
    round({ isFullScan: true, told: ['a'], gone: ['a', 'b'] })
    round({ told: ['c'], gone: ['c'] })
    const all = { told: ['a', 'b', 'c'], gone: ['a', 'b', 'c'] }
    expect(round(all)).toEqual({ confirmed: ['a', '!b', 'c'], fresh: [] })
  })
})

describe('a directory that gave way to something else', () => {
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
