import { setTimeout as delay } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { live, numbered, path, peerRecord, told } from '../conformance/store-fixtures.ts'
import { contentOf } from '../conformance/store-subject.ts'
import { peer } from '../core/build.ts'
import { startCommitting } from './committing.ts'
import { generation, generationRows, holdOf } from './generation.ts'
import { temporaryIndex } from './temporary-index.ts'

test('rule 23: killed at any moment, the index holds the last commit that returned or the next one, and no mixture', async () => {
  using index = temporaryIndex()
  let reached = 0
  for (let round = 1; round <= 6; round++) {
    const commits = 1 + Math.floor(Math.random() * 60)
    const extraMs = Math.random() * 10
    const child = startCommitting(index.path)
    await child.committed(commits)
    await delay(extraMs)
    child.kill()
    const returned = await child.exited
    const moment = `round ${round}, killed ${extraMs} ms after commit ${commits}`

    expect(returned, moment).toBeGreaterThanOrEqual(reached + commits)
    index.with(({ store, isNew, damaged }) => {
      expect({ isNew, damaged }, moment).toEqual({ isNew: false, damaged: null })
      reached = store.lastCounter()
      expect([returned, returned + 1], moment).toContain(reached)
      expect(
        { ...contentOf(store), holds: [], remote: [...store.unequalRemoteOf(peer('b'))] },
        moment,
      ).toStrictEqual(contentOfGeneration(reached))
      // The hold of the next generation is recorded before it is committed.
      const holds = store.holds().map((hold) => hold.id)
      expect([[reached], [reached, reached + 1]].map(String), moment).toContain(
        String(holds.toSorted((a, b) => Number(a) - Number(b))),
      )
    })
  }
})

test('rule 22: a hold is kept when the process is killed right after it was recorded', async () => {
  using index = temporaryIndex()
  const returned = await startCommitting(index.path, { dieAt: 'hold' }).exited
  expect(returned).toBe(2)
  index.with(({ store }) => expect(store.holds()).toStrictEqual([holdOf(2), holdOf(3)]))
})

function contentOfGeneration(n: number) {
  const names = numbered(1, generationRows)
  const remote = names.map((name) => told('b', name, n))
  return {
    records: names.map((name, i) => live(name, n * generationRows + i)),
    changes: names,
    unequalRemote: remote,
    remote,
    peers: [peerRecord('b', n)],
    holds: [],
    releasedHolds: [holdOf(n - 1).id],
    heldDeletes: [path(`held-${n}`)],
    identity: generation(n).identity,
    lastCounter: n,
    lastSequence: n * generationRows + generationRows - 1,
  }
}
