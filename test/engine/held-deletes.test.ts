import { beforeEach, describe, expect, test } from 'vitest'
import type { IndexRecord } from '../../src/core/index-record.ts'
import type { HashedDifference } from '../../src/engine/publish/findings.ts'
import { HeldDeletes, type Gone } from '../../src/engine/publish/held-deletes.ts'
import { observation } from '../conformance/store-fixtures.ts'
import { digest, directory, file, tombstone } from '../core/build.ts'
import { engineParts, path, paths, put } from './parts.ts'

type Parts = ReturnType<typeof engineParts>

let parts: Parts
let held: HeldDeletes

beforeEach(() => {
  parts = engineParts()
  held = new HeldDeletes({ ...parts, share: 0.5 })
})

/** Files `d/1` … `d/count`, each with a content of its own, in a directory. */
function index(count: number): void {
  const files = numbers(count).map((n) =>
    put(file({ path: `d/${n}`, content: n, version: 'a1', by: 'a1' })),
  )
  parts.ledger.commit([put(directory({ path: 'd', version: 'a1', by: 'a1' })), ...files])
}

function numbers(count: number, from = 1): number[] {
  return Array.from({ length: count }, (_, n) => from + n)
}

function recordAt(name: string): IndexRecord {
  const record = parts.store.get(path(name))
  if (record === null) throw new Error(`no record of ${name}`)
  return record
}

function gone(names: readonly (string | number)[], isSilent = true): Gone[] {
  return names.map((name) => ({
    record: recordAt(typeof name === 'number' ? `d/${name}` : name),
    isSilent,
  }))
}

/** A new file with that content. */
function found(name: string, content: number): HashedDifference {
  const seen = observation()
  const finding = { path: path(name), observation: seen, digest: digest(content), target: null }
  return { path: path(name), observation: seen, record: null, finding }
}

/** How many may be stamped, and how many are held by then. */
function sift(
  all: readonly Gone[],
  others: readonly HashedDifference[] = [],
  unconfirmed = 0,
): [number, number] {
  return [held.sift(all, others, unconfirmed).length, held.size]
}

describe('rule 19: deletes wait for people', () => {
  test.each<[string, number, () => readonly Gone[], [number, number]]>([
    ['more than half gone without an event', 300, () => gone(numbers(200)), [0, 200]],
    ['as many that events told of', 300, () => gone(numbers(200), false), [200, 0]],
    ['less than half', 300, () => gone(numbers(140)), [140, 0]],
    ['a hundred at most', 150, () => gone(numbers(100)), [100, 0]],
    ['all files of a small volume, told of', 11, () => gone(numbers(11), false), [0, 11]],
    ['all files of a tiny one', 10, () => gone(numbers(10)), [10, 0]],
    [
      'most without an event, others told of: only the former wait',
      300,
      () => [...gone(numbers(200)), ...gone(numbers(50, 201), false)],
      [50, 200],
    ],
    [
      'with their directory: it waits too',
      300,
      () => [...gone(numbers(300)), ...gone(['d'], false)],
      [0, 301],
    ],
    [
      'with their directory, told of, beside some that wait: it waits with them',
      300,
      () => [...gone(numbers(200)), ...gone([...numbers(100, 201), 'd'], false)],
      [0, 301],
    ],
  ])('%s', (_, count, all, expected) => {
    index(count)
    expect(sift(all())).toEqual(expected)
  })

  test('one loss is held as a whole, though the second look at it comes in parts', () => {
    index(300)
    expect(sift(gone(numbers(90)), [], 110)).toEqual([0, 90])
    expect(sift(gone(numbers(110, 91)))).toEqual([0, 200])
    // What events tell of is let go meanwhile.
    expect(sift(gone(numbers(10, 250), false))).toEqual([10, 200])
  })

  test('what was renamed is no loss, and waits for nobody', () => {
    index(300)
    const renamed = numbers(150).map((n) => found(`e/${n}`, n))
    expect(sift(gone(numbers(200)), renamed)).toEqual([200, 0])
    const others = numbers(100, 201)
    expect(sift(gone([...others, ...numbers(200)]), renamed)).toEqual([300, 0])
  })

  test('what was renamed is no loss in the round after its new name was found', () => {
    held = new HeldDeletes({ ...parts, share: 0.1 })
    index(300)
    expect(
      sift(
        [],
        numbers(200).map((n) => found(`e/${n}`, n)),
      ),
    ).toEqual([0, 0])
    expect(sift(gone(numbers(200)))).toEqual([200, 0])
  })

  test('but it is one when somebody else has deleted the new name meanwhile', () => {
    held = new HeldDeletes({ ...parts, share: 0.1 })
    index(300)
    sift(
      [],
      numbers(200).map((n) => found(`e/${n}`, n)),
    )
    parts.ledger.commit(
      numbers(200).map((n) => put(tombstone({ path: `e/${n}`, version: `b${n}`, by: `b${n}` }))),
    )
    expect(sift(gone(numbers(200)))).toEqual([0, 200])
  })

  test('what appeared long before is no rename', async () => {
    index(300)
    sift(
      [],
      numbers(200).map((n) => found(`e/${n}`, n)),
    )
    await parts.time.pass(60_000)
    expect(sift(gone(numbers(200)))).toEqual([0, 200])
  })

  test('what was renamed does not wait for what was lost', () => {
    index(300)
    const renamed = numbers(20).map((n) => found(`e/${n}`, n))
    expect(sift(gone(numbers(220)), renamed)).toEqual([20, 200])
    expect(held.has(path('d/1'))).toBe(false)
  })

  test('one file that was found does not account for hundreds of its content that are gone', () => {
    const names = numbers(300).map((n) => `copy-${n}`)
    parts.ledger.commit(names.map((name) => put(file({ path: name, version: 'a1', by: 'a1' }))))
    expect(sift(gone(names), [found('new', 1)])).toEqual([1, 299])
  })

  test('one file that was found accounts for one that is gone, in whatever round', () => {
    const names = numbers(300).map((n) => `copy-${n}`)
    parts.ledger.commit(names.map((name) => put(file({ path: name, version: 'a1', by: 'a1' }))))
    expect(sift(gone(names.slice(0, 1)), [found('new', 1)])).toEqual([1, 0])
    expect(sift(gone(names.slice(1)))).toEqual([0, 299])
  })

  test('a volume that is emptied bit by bit is emptied all the same', () => {
    index(300)
    expect(sift(gone(numbers(200)))).toEqual([0, 200])
    expect(sift(gone(numbers(100, 201), false))).toEqual([0, 300])
  })

  test('not where the brake is off', () => {
    held = new HeldDeletes({ ...parts, share: null })
    index(300)
    expect(sift(gone(numbers(300)))).toEqual([300, 0])
  })
})

describe('rule 19: what is held', () => {
  beforeEach(() => {
    index(300)
    held.sift(gone(numbers(200)), [], 0)
  })

  test('is found gone again and again, and stamped never', () => {
    expect(sift(gone(numbers(200)))).toEqual([0, 200])
  })

  test('keeps its directory, which goes with it', () => {
    expect(sift(gone(['d'], false))).toEqual([0, 201])
  })

  test('does not hold up other deletes', () => {
    expect(sift(gone([250, 251], false))).toEqual([2, 200])
  })

  test('is held after a restart, and said', () => {
    const next = engineParts({ store: parts.store })
    const again = new HeldDeletes({ ...next, share: 0.5 })
    expect(again.all().toSorted()).toEqual(held.all().toSorted())
    expect(next.problems.all().map(({ code }) => code)).toEqual(['deletes-held'])
  })

  test('is a problem with its number, until nothing is', () => {
    const messages = () => parts.problems.all().map(({ message }) => message)
    expect(messages()).toEqual([expect.stringContaining('200 entries')])
    held.release(paths('d/1'))
    expect(messages()).toEqual([expect.stringContaining('199 entries')])
    held.release(held.all())
    expect(messages()).toEqual([])
  })

  test('and is there again is not held any more, in the index neither', () => {
    held.cancelFound(new Set(paths('d/1', 'd/250', 'unknown')))
    expect([held.has(path('d/1')), held.size]).toEqual([false, 199])
    expect(parts.store.heldDeletes()).toHaveLength(199)
  })

  test('and was released by another commit is forgotten without one', () => {
    parts.ledger.commit([], { heldDeletes: { removed: paths('d/1') } })
    held.forget(paths('d/1'))
    expect([held.size, parts.store.heldDeletes().length]).toEqual([199, 199])
  })
})

test('rule 19: files that appeared a moment ago and are all gone are lost, not renamed to themselves', () => {
  index(30)
  sift(
    [],
    numbers(30).map((n) => found(`d/${n}`, n)),
  )
  expect(sift(gone(numbers(30), false))).toEqual([0, 30])
})
