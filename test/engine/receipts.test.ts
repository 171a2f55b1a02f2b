import { describe, expect, test } from 'vitest'
import { conflictCopyOf } from '../../src/core/conflict.ts'
import type { Outcome, OutcomeRange, SequencedEntry } from '../../src/core/protocol.ts'
import { Receipts } from '../../src/engine/links/receipts.ts'
import { file } from '../core/build.ts'
import { path } from './parts.ts'

const applied: Outcome = { kind: 'applied' }
const notWanted: Outcome = { kind: 'not-wanted' }
const failed: Outcome = { kind: 'failed', code: 'pull-failed' }

/** Receipts of a peer that announced a, b, c, … as 1, 2, 3, … */
function heard(...names: readonly string[]): Receipts {
  const receipts = new Receipts({ recordedUpTo: 0 })
  announce(receipts, names, 1)
  return receipts
}

function announce(receipts: Receipts, names: readonly string[], from: number): void {
  receipts.recorded(
    names.map((name, index) => announced(name, from + index)),
    from + names.length - 1,
  )
}

function announced(name: string, sequence: number): SequencedEntry {
  return { entry: file({ path: path(name), content: 1, version: 'a1', by: 'a1' }), sequence }
}

/** `1-3 applied, 4 failed` */
function told(receipts: Receipts): string {
  const news = receipts.take()
  if (news === null) return 'nothing'
  return [`up to ${news.recordedUpTo}`, ...news.ranges.map(textOf)].join(', ')
}

function textOf({ from, to, outcome }: OutcomeRange): string {
  return `${from === to ? from : `${from}-${to}`} ${outcome.kind}`
}

function refuse(receipts: Receipts, ...sequences: readonly number[]): void {
  receipts.refuse(sequences.map((sequence) => ({ sequence, code: 'bad-path' })))
}

describe('rule 17: what is told', () => {
  test('how far all is recorded is told before anything is applied, and once', () => {
    const receipts = heard('a', 'b')
    expect(told(receipts)).toBe('up to 2')
    expect(told(receipts)).toBe('nothing')
  })

  test('an open path is not told as applied, whatever was applied around it', () => {
    const receipts = heard('a', 'b', 'c', 'd')
    for (const name of ['a', 'c', 'd']) receipts.close(path(name), applied)
    expect(told(receipts)).toBe('up to 4, 1 applied, 3-4 applied')
    receipts.close(path('b'), applied)
    expect(told(receipts)).toMatch(/, 2(-4)? applied$/)
    expect(receipts.open).toBe(0)
  })

  test('sequences that nothing was announced of count as applied', () => {
    const receipts = new Receipts({ recordedUpTo: 0 })
    receipts.recorded([announced('a', 3)], 7)
    expect(told(receipts)).toBe('up to 7, 1-2 applied, 4-7 applied')
  })

  test('a path announced anew is open as the new sequence alone', () => {
    const receipts = heard('a', 'b')
    receipts.close(path('b'), applied)
    announce(receipts, ['a'], 3)
    expect(told(receipts)).toBe('up to 3, 1-2 applied')
    expect([receipts.open, receipts.sequenceOf(path('a'))]).toEqual([1, 3])
  })

  test('a failure stays open, and what comes of it in the end is told', () => {
    const receipts = heard('a', 'b')
    receipts.close(path('a'), failed)
    receipts.close(path('b'), applied)
    expect(told(receipts)).toBe('up to 2, 1 failed, 2 applied')
    expect(receipts.open).toBe(1)
    receipts.close(path('a'), applied)
    expect(told(receipts)).toMatch(/, 1(-2)? applied$/)
  })

  test('a failure of what was superseded meanwhile is not told', () => {
    const receipts = heard('a')
    receipts.close(path('a'), failed)
    announce(receipts, ['a'], 2)
    expect(told(receipts)).toBe('up to 2, 1 applied')
  })

  test('what is not wanted is told so, and is done', () => {
    const receipts = heard('a', 'b')
    receipts.close(path('a'), notWanted)
    expect(receipts.open).toBe(1)
    expect(told(receipts)).toMatch(/^up to 2, 1 not-wanted/)
  })

  test('what is declined is told as not wanted on every link, and as applied when it is in the end (rule M1)', () => {
    const receipts = heard('a', 'b')
    receipts.close(path('b'), applied)
    receipts.decline(path('a'))
    receipts.decline(path('a'))
    expect([receipts.open, receipts.declined]).toEqual([0, 1])
    expect(told(receipts)).toBe('up to 2, 1 not-wanted, 2 applied')
    expect(told(receipts)).toBe('nothing')
    receipts.startOver()
    expect(told(receipts)).toBe('up to 2, 1 not-wanted, 2 applied')
    receipts.close(path('a'), applied)
    expect(told(receipts)).toMatch(/, 1(-2)? applied$/)
    expect([receipts.open, receipts.declined]).toEqual([0, 0])
  })

  test('what is declined and announced anew is open (rule M1)', () => {
    const receipts = heard('a')
    receipts.decline(path('a'))
    announce(receipts, ['a'], 2)
    expect([receipts.open, receipts.declined]).toEqual([1, 0])
    expect(told(receipts)).toBe('up to 2, 1 applied')
  })

  test('an outcome of a path that is not open is nobody’s', () => {
    const receipts = heard('a')
    receipts.close(path('a'), applied)
    told(receipts)
    receipts.close(path('a'), failed)
    receipts.close(path('b'), failed)
    expect(told(receipts)).toBe('nothing')
  })
})

describe('rule 17: refused entries', () => {
  test('are told as refused and never as applied', () => {
    const receipts = heard('a', 'b', 'c')
    refuse(receipts, 4, 5)
    receipts.recorded([], 6)
    for (const name of ['a', 'b', 'c']) receipts.close(path(name), applied)
    expect(told(receipts)).toBe('up to 6, 4-5 refused, 1-3 applied, 6 applied')
  })

  test('are told again on a new link', () => {
    const receipts = heard('a')
    receipts.close(path('a'), applied)
    refuse(receipts, 2)
    receipts.recorded([], 3)
    const first = told(receipts)
    receipts.startOver()
    expect(first).toBe('up to 3, 2 refused, 1 applied, 3 applied')
    expect(told(receipts)).toBe(first)
  })

  test('are told in runs, and of a flood only the last are remembered', () => {
    const receipts = new Receipts({ recordedUpTo: 0 })
    for (let sequence = 2; sequence <= 20_000; sequence += 2) refuse(receipts, sequence)
    refuse(receipts, ...Array.from({ length: 1000 }, (_, index) => 20_001 + index))
    receipts.recorded([], 30_000)
    const ranges = receipts.take()?.ranges ?? []
    const refused = ranges.filter(({ outcome }) => outcome.kind === 'refused')
    expect(refused).toHaveLength(1000)
    expect(refused.map(textOf).at(-1)).toBe('20000-21000 refused')
  })
})

describe('rule 17: a new link', () => {
  test('is told everything anew but what is still open', () => {
    const receipts = heard('a', 'b', 'c')
    receipts.close(path('a'), applied)
    receipts.close(path('b'), failed)
    told(receipts)
    receipts.startOver()
    expect(told(receipts)).toBe('up to 3, 1 applied')
    expect([...receipts.openPaths()]).toEqual(['b', 'c'])
  })

  test('begins where the index has recorded, with nothing open but what is marked', () => {
    const receipts = new Receipts({ recordedUpTo: 5 })
    receipts.markOpen(announced('x', 3))
    expect(told(receipts)).toBe('up to 5, 1-2 applied, 4-5 applied')
  })
})

describe('isComplete', () => {
  test('is false until the peer has spoken since the start, whatever is recorded', () => {
    const receipts = new Receipts({ recordedUpTo: 5 })
    expect(receipts.isComplete).toBe(false)
    receipts.recorded([], 5)
    expect(receipts.isComplete).toBe(true)
  })

  test('is false while more is to come', () => {
    const receipts = heard('a')
    receipts.head = 2
    expect(receipts.isComplete).toBe(false)
    announce(receipts, ['b'], 2)
    expect(receipts.isComplete).toBe(true)
  })
})

describe('rule 4: a conflict copy that is not here yet', () => {
  const loser = file({ path: 'd/f.txt', content: 1, version: 'a1', by: 'a1' })
  const copy = conflictCopyOf(loser)

  test('is waited for with what was announced after it of the same original', () => {
    const receipts = new Receipts({ recordedUpTo: 0 })
    receipts.recorded([{ entry: copy, sequence: 1 }, announced('d/f.txt', 2)], 2)
    expect(receipts.openCopyOf(path('d/f.txt'), 2)).toBe(copy.path)
    expect(receipts.openCopyOf(path('d/g.txt'), 2)).toBeNull()
    receipts.close(copy.path, applied)
    expect(receipts.openCopyOf(path('d/f.txt'), 2)).toBeNull()
  })

  test('is not waited for once somebody wrote something else into it: that may wait for others itself', () => {
    const receipts = new Receipts({ recordedUpTo: 0 })
    receipts.recorded([{ entry: copy, sequence: 1 }], 1)
    const edited = file({ path: copy.path, content: 2, version: 'a1 b1', by: 'b1' })
    receipts.recorded([{ entry: edited, sequence: 2 }, announced('d/f.txt', 3)], 3)
    expect(receipts.openCopyOf(path('d/f.txt'), 3)).toBeNull()
  })
})

test('rule 16: what its announcer has no longer is old once it had told everything, until it tells anew', () => {
  const receipts = new Receipts({ recordedUpTo: 0 })
  receipts.head = 2
  receipts.recorded([announced('a', 1)], 1)
  receipts.supersede(path('a'))
  expect(receipts.isSuperseded(path('a'), 1)).toBe(false)
  receipts.recorded([], 2)
  expect(receipts.isSuperseded(path('a'), 1)).toBe(true)
  receipts.recorded([announced('a', 3)], 3)
  expect(receipts.isSuperseded(path('a'), 3)).toBe(false)
})
