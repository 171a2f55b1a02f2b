import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorCode } from '../../src/core/errors.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { openVolume } from '../../src/volume/open.ts'
import { make, stagedFiles } from '../conformance/volume-subject.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import type { DiskOperation } from '../support/memory-disk-attached.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { realVolume } from '../support/real-volume.ts'
import { canMount, mountSmallFileSystem } from '../support/small-file-system.ts'
import {
  countingIds,
  demandApplied,
  digestOfText,
  directoryEntry,
  put,
  staged,
  symlinkEntry,
  TestLedger,
} from '../support/volume-fixture.ts'

const small = 'x'.repeat(1000)
const large = 'y'.repeat(600_000)

describe('a full disk', () => {
  const refused: readonly DiskOperation[] = [
    'create',
    'write',
    'sync-file',
    'link',
    'symlink',
    'mkdir',
    'rename',
    'copy',
  ]
  for (const operation of refused) {
    test(`at ${operation} is said to be full, changes nothing and leaves nothing`, async () => {
      const disk = new MemoryDisk({ nowMs: () => 0 })
      const hands = memoryHands(disk)
      let isFull = false
      const volume = await openVolume({
        disk: disk.attach({
          refuse: (call) => (isFull && call.operation === operation ? 'ENOSPC' : null),
        }),
        path: '/data',
        durability: 'full',
        ledger: new TestLedger(),
        ids: countingIds(),
      })
      const old = demandApplied(await put(volume, 'old', { content: 'old' }))
      hands.write('here', large)
      const before = hands.tree()
      const outcomes: unknown[] = []
      const attempt = async (call: () => Promise<unknown>): Promise<void> => {
        outcomes.push(await call().catch((error: unknown) => errorCode(error) ?? error))
      }
      isFull = true
      for (const content of [small, large]) {
        await attempt(() => put(volume, 'new', { content }))
        await attempt(() => put(volume, 'old', { content, expected: old.observation }))
        hands.remove('new')
        if (hands.read('old') !== 'old') break
      }
      await attempt(() => make(volume, symlinkEntry('l', 'x')))
      await attempt(() => make(volume, directoryEntry('d')))
      await attempt(async () => {
        const expected = { sizeBytes: large.length, digest: digestOfText(large) }
        const stage = await volume.stageFromLocal(parseRelativePath('here'), expected)
        await stage?.discard()
      })
      isFull = false
      const said = outcomes.filter((outcome) => outcome === 'no-space' || isDiskFull(outcome))
      expect(said.length).toBeGreaterThan(0)
      for (const path of before.keys()) expect(hands.read(path), path).not.toBeNull()
      if (operation !== 'rename')
        expect(hands.read('old') === 'old' || hands.read('old') === small).toBe(true)
      expect(stagedFiles(hands)).toEqual([])
      demandApplied(await put(volume, 'after', { content: small }))
    })
  }

  test.skipIf(!canMount)(
    'really full: a pulled file is refused, and comes once there is room',
    async () => {
      using fileSystem = mountSmallFileSystem(8 * 1024 * 1024)
      await using under = realVolume(fileSystem.path)
      const volume = await under.open()
      const old = demandApplied(await put(volume, 'old', { content: 'old' }))
      fileSystem.fill('fill')
      for (const content of ['z'.repeat(50_000), 'z'.repeat(2_000_000)]) {
        expect(await staged(volume, content).catch(errorCode)).toBe('no-space')
        expect(stagedFiles(under.hands)).toEqual([])
      }
      expect(under.hands.read('old')).toBe('old')
      rmSync(join(fileSystem.path, 'fill'))
      demandApplied(
        await put(volume, 'old', { content: 'z'.repeat(2_000_000), expected: old.observation }),
      )
      expect(under.hands.read('old')?.length).toBe(2_000_000)
    },
  )
})

function isDiskFull(outcome: unknown): boolean {
  return (
    typeof outcome === 'object' &&
    outcome !== null &&
    'code' in outcome &&
    outcome.code === 'disk-full'
  )
}
