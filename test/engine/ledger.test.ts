import { beforeEach, describe, expect, test } from 'vitest'
import { SyndError } from '../../src/core/errors.ts'
import type { Committed } from '../../src/engine/ledger.ts'
import { directory, file, tombstone } from '../core/build.ts'
import { engineParts, path, paths, put } from './parts.ts'

let parts: ReturnType<typeof engineParts>
let told: Committed[][]

beforeEach(() => {
  parts = engineParts()
  told = []
  parts.ledger.onCommit((commits) => told.push([...commits]))
})

const x = file({ path: 'x', version: 'a1', by: 'a1' })
const x2 = file({ path: 'x', version: 'a2', by: 'a2', content: 2 })
const y = file({ path: 'y', version: 'a3', by: 'a3' })

/** `path:sequence`, in order of sequence. */
function sequences(): string[] {
  return parts.store.changesAfter(0, 100).map(({ entry, sequence }) => `${entry.path}:${sequence}`)
}

describe('a commit', () => {
  test('rule 16: gives sequences in the order of the puts, each one once', () => {
    const { ledger } = parts
    ledger.commit([put(x), put(y)])
    ledger.commit([put(x2)])
    expect(sequences()).toEqual(['y:2', 'x:3'])
    expect(ledger.lastSequence).toBe(3)
  })

  test('rule 13: of an observation alone keeps the sequence', () => {
    const { ledger } = parts
    ledger.commit([put(x), put(y)])
    ledger.commit([put(x, { isAnnounced: false })])
    expect(sequences()).toEqual(['x:1', 'y:2'])
    expect(ledger.lastSequence).toBe(2)
  })

  test('rule 9: of what has no version yet is not announced', () => {
    parts.ledger.commit([put(file({ path: 'x', version: '', by: 'a1' }))])
    expect(parts.store.get(path('x'))?.sequence).toBe(0)
  })

  test('is told with what was there before, when it is in the store', () => {
    const { ledger, store } = parts
    ledger.commit([put(x, { seenMs: 5 })])
    ledger.onCommit(() => expect(store.get(path('x'))?.entry).toEqual(x2))
    ledger.commit([put(x2)])
    expect(told.map(([commit]) => [commit?.before?.entry ?? null, commit?.after.entry])).toEqual([
      [null, x],
      [x, x2],
    ])
    expect(told[0]?.[0]?.seenMs).toBe(5)
  })

  test('rule 2: keeps the highest counter with what was issued', () => {
    const dot = parts.self.nextDot()
    parts.ledger.commit([put(x)])
    expect(parts.store.lastCounter()).toBe(dot.counter)
  })

  test('that puts a path twice counts and tells it as one after the other', () => {
    const { ledger, census } = parts
    ledger.commit([put(x), put(x2)])
    expect([census.files, census.sizeBytes]).toEqual([1, 10])
    expect(told[0]?.map(({ before }) => before?.entry ?? null)).toEqual([null, x])
    expect(sequences()).toEqual(['x:2'])
  })

  test('that fails changes nothing: no sequence is used up, nobody is told, nothing is counted', () => {
    const { ledger, store, census } = parts
    const commit = store.commit.bind(store)
    store.commit = () => {
      throw new SyndError('no-space', 'disk full')
    }
    expect(() => ledger.commit([put(x)])).toThrow('disk full')
    expect([told, ledger.lastSequence, census.files]).toEqual([[], 0, 0])
    store.commit = commit
    ledger.commit([put(y)])
    expect(sequences()).toEqual(['y:1'])
  })

  test('goes together with what else is to change', () => {
    const { ledger, store } = parts
    store.commit({ heldDeletes: { added: paths('x') } })
    ledger.commit([put(x)], { heldDeletes: { removed: paths('x') } })
    expect(store.heldDeletes()).toEqual([])
  })
})

test('what is forgotten is neither in the index nor in the counts', () => {
  const { ledger, store, census } = parts
  ledger.commit([put(x), put(y)])
  ledger.forget(paths('x', 'z'))
  expect(store.get(path('x'))).toBeNull()
  expect(census.files).toBe(1)
})

test('a new life counts what the index holds and goes on with its sequences', () => {
  parts.ledger.commit([put(x), put(y)])
  parts.ledger.commit([put(tombstone({ path: 'y', version: 'a4', by: 'a4' }))])
  const { ledger, census } = engineParts({ store: parts.store })
  expect([census.files, census.tombstones]).toEqual([1, 1])
  expect(census.treeDigest).toBe(parts.census.treeDigest)
  expect(ledger.lastSequence).toBe(3)
})

test.each([
  [null, true],
  ['d', true],
  ['x', false],
  ['gone', false],
  ['unknown', false],
])('%s is a directory: %s', (name, isDirectory) => {
  parts.ledger.commit([
    put(directory({ path: 'd', version: 'a1', by: 'a1' })),
    put(x),
    put({ ...tombstone({ path: 'gone', version: 'a1', by: 'a1' }), removedKind: 'directory' }),
  ])
  expect(parts.ledger.isDirectory(name === null ? null : path(name))).toBe(isDirectory)
})
