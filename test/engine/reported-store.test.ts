import { expect, test } from 'vitest'
import { SyndError } from '../../src/core/errors.ts'
import { ProblemList } from '../../src/engine/problem-list.ts'
import { reportedStore } from '../../src/engine/reported-store.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { VirtualClock, VirtualTime } from '../support/virtual-clock.ts'
import { parsePeerId } from '../../src/core/peer-id.ts'

/** A store whose writes fail with what it is told. */
function failing() {
  let error: Error | null = null
  class FailingStore extends MemoryStore {
    override commit(): void {
      if (error !== null) throw error
    }
  }
  const problems = new ProblemList()
  const clock = new VirtualClock({ time: new VirtualTime() })
  const peerId = parsePeerId('0123456789abcdef')
  const store = reportedStore(new FailingStore({ peerId }), { problems, clock })
  const said = () => problems.all().map(({ code, path }) => [code, path])
  return { store, said, failWith: (next: Error | null) => void (error = next) }
}

test.each([
  ['no-space', 'disk-full'],
  ['io', 'index-unwritable'],
  ['volume-unwritable', 'index-unwritable'],
] as const)(
  'an index that cannot be written (%s) is a problem until it can',
  (errorCode, problemCode) => {
    const { store, said, failWith } = failing()
    const error = new SyndError(errorCode, 'not now')
    failWith(error)
    expect(() => store.commit({})).toThrow(error)
    expect(said()).toEqual([[problemCode, null]])
    failWith(null)
    store.commit({})
    expect(said()).toEqual([])
  },
)

test('a bug is thrown and is no problem of the index', () => {
  const { store, said, failWith } = failing()
  failWith(new Error('a bug'))
  expect(() => store.commit({})).toThrow('a bug')
  expect(said()).toEqual([])
})
