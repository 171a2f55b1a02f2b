import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { errorCode } from '../../src/core/errors.ts'
import type { Store } from '../../src/engine/ports.ts'
import { contentOf } from '../conformance/store-subject.ts'
import {
  canMount,
  mountSmallFileSystem,
  type SmallFileSystem,
} from '../support/small-file-system.ts'
import { generation, holdOf } from './generation.ts'
import { indexIn, type TemporaryIndex } from './temporary-index.ts'

describe.skipIf(!canMount)('on a small file system (needs root to mount it)', () => {
  let disk: SmallFileSystem
  let index: TemporaryIndex
  beforeEach(() => {
    disk = mountSmallFileSystem(8 * 1024 * 1024)
    index = indexIn(disk.path, () => {})
  })
  afterEach(() => disk[Symbol.dispose]())

  test('a commit that finds the disk full says so and leaves nothing behind; with room again the next one works', () => {
    const { store } = index.open()
    commitUntil(store, { from: 1, to: 20 })
    disk.fill('ballast')

    const full = commitUntilFull(store, { from: 21 })
    expect(full.code).toBe('no-space')
    expect(contentOf(store)).toStrictEqual(full.before)
    expect(codeOf(() => store.commit(generation(full.generation)))).toBe('no-space')
    expect(contentOf(store)).toStrictEqual(full.before)

    rmSync(join(disk.path, 'ballast'))
    store.commit(generation(full.generation))
    store.recordHolds([holdOf(full.generation)])
    const after = contentOf(store)
    expect(after.lastCounter).toBe(full.generation)
    store.close()
    index.with((opened) => {
      expect(opened).toMatchObject({ isNew: false, damaged: null })
      expect(contentOf(opened.store)).toStrictEqual(after)
    })
  })

  test('an index closed and opened on a full disk is what it was', () => {
    const { store } = index.open()
    commitUntil(store, { from: 1, to: 20 })
    disk.fill('ballast')
    const { before } = commitUntilFull(store, { from: 21 })
    store.close()
    index.with((opened) => {
      expect(opened).toMatchObject({ isNew: false, damaged: null })
      expect(contentOf(opened.store)).toStrictEqual(before)
    })
  })

  test('a new index is not made on a full disk, and is made once there is room', () => {
    disk.fill('ballast')
    expect(codeOf(() => index.open())).toBe('no-space')
    expect(codeOf(() => index.open())).toBe('no-space')
    rmSync(join(disk.path, 'ballast'))
    index.with((opened) => expect(opened).toMatchObject({ isNew: true, damaged: null }))
    expect(readdirSync(join(disk.path, 'state'))).toEqual(['index.sqlite'])
  })

  test('a read-only file system is told by its code, and damages nothing', () => {
    index.with(({ store }) => store.commit(generation(1)))
    disk.setReadOnly()
    expect(codeOf(() => index.open())).toBe('volume-unwritable')
    expect(readdirSync(join(disk.path, 'state'))).toEqual(['index.sqlite'])
  })
})

function commitUntil(
  store: Store,
  { from, to }: { readonly from: number; readonly to: number },
): void {
  for (let n = from; n <= to; n++) store.commit(generation(n))
}

/** Commits generation after generation until one fails; the log has room of its own for some. */
function commitUntilFull(store: Store, { from }: { readonly from: number }) {
  for (let n = from; n < from + 10_000; n++) {
    const before = contentOf(store)
    const code = codeOf(() => store.commit(generation(n)))
    if (code !== null) return { code, before, generation: n }
  }
  throw new Error('the disk did not become full')
}

function codeOf(work: () => unknown): string | null {
  try {
    work()
    return null
  } catch (error) {
    if (errorCode(error) === null) throw error
    return errorCode(error)
  }
}
