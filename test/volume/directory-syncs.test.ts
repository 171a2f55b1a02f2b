import { expect, test } from 'vitest'
import { DirectorySyncs } from '../../src/volume/apply/directory-syncs.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { countingIds } from '../support/volume-fixture.ts'

test('rule 22: directories that could not even be looked at are synced by the next call', async () => {
  const memory = new MemoryDisk({ nowMs: () => 0 })
  memoryHands(memory).mkdir('a')
  const state: { refused: string | null } = { refused: 'EIO' }
  const synced: string[] = []
  const disk = memory.attach({
    refuse: ({ operation }) => (operation === 'lstat' ? state.refused : null),
    effect: ({ when, operation, path }) => {
      if (when === 'after' && operation === 'sync-directory') synced.push(path)
    },
  })
  const syncs = new DirectorySyncs({
    disk,
    ids: countingIds(),
    recordHolds: () => undefined,
    preparedHolds: new Map(),
    isDurable: true,
    keepsModes: true,
    touched: new Set(['a']),
    besides: new Set(),
  })
  await expect(syncs.sync()).rejects.toMatchObject({ name: 'SyndError', code: 'io' })
  expect(synced).toEqual([])
  state.refused = null
  await syncs.sync()
  expect(synced.toSorted()).toEqual(['', 'a'])
})
