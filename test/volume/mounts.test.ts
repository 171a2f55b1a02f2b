import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SyndVolume } from '../../src/volume/volume.ts'
import { openVolume } from '../../src/volume/open.ts'
import { make, remove, stagedFiles } from '../conformance/volume-subject.ts'
import type { Hands } from '../support/hands.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { realVolume } from '../support/real-volume.ts'
import { canMount } from '../support/small-file-system.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import {
  countingIds,
  demandApplied,
  directoryEntry,
  fileEntry,
  observed,
  put,
  staged,
  symlinkEntry,
  TestLedger,
} from '../support/volume-fixture.ts'

/** Everything that can happen below `m`, a mount inside the volume: no link and no rename leads there from `.synd`. */
async function exercise(volume: SyndVolume, hands: Hands): Promise<void> {
  const first = demandApplied(await put(volume, 'm/f', { content: 'one', mode: 0o640 }))
  expect(first.observation).toEqual(observed(volume, 'm/f'))
  expect(await put(volume, 'm/f', { content: 'two' })).toEqual({ kind: 'changed' })
  const second = demandApplied(
    await put(volume, 'm/f', { content: 'two', expected: first.observation }),
  )
  expect(hands.tree('m')).toEqual(new Map([['m/f', 'f 644 two']]))
  const late = await staged(volume, 'three')
  const third = demandApplied(
    await volume.apply({
      kind: 'publish',
      entry: fileEntry('m/f', 'three', { mode: 0o600 }),
      stage: late,
      expected: second.observation,
    }),
  )
  expect(third.observation).toEqual(observed(volume, 'm/f'))
  hands.append('m/f', ' edit')
  expect(await remove(volume, 'm/f', third.observation)).toEqual({ kind: 'changed' })
  demandApplied(await remove(volume, 'm/f', observed(volume, 'm/f')))
  const made = demandApplied(await make(volume, directoryEntry('m/p')))
  const file = demandApplied(await put(volume, 'm/p', { content: 'x', expected: made.observation }))
  const link = demandApplied(await make(volume, symlinkEntry('m/p', 'target'), file.observation))
  expect(hands.tree('m')).toEqual(new Map([['m/p', 'l target']]))
  const directory = demandApplied(await make(volume, directoryEntry('m/p'), link.observation))
  demandApplied(await remove(volume, 'm/p', directory.observation))
  expect(hands.tree('m').size).toBe(0)
  expect(stagedFiles(hands)).toEqual([])
  expect(volume.heldIds()).toEqual([])
  await volume.syncDirectories()
}

describe('mounts inside the volume', () => {
  for (const isBind of [true, false]) {
    test(`are written beside the target, in memory, ${isBind ? 'of the same' : 'of another'} device`, async () => {
      const { disk, volume, hands } = await memoryVolume()
      hands.mkdir('m')
      disk.mount('m', { isBind })
      await exercise(volume, hands)
    })
  }

  test.skipIf(!canMount)('are written beside the target, on a real bind mount', async () => {
    await using under = realVolume()
    const { path, remove } = temporaryDirectory()
    const mountPoint = join(under.path, 'm')
    mkdirSync(mountPoint)
    execFileSync('mount', ['--bind', path, mountPoint])
    try {
      await exercise(await under.open(), under.hands)
    } finally {
      execFileSync('umount', ['-l', mountPoint])
      remove()
    }
  })

  test('keep what a volume nested there has in its own .synd', async () => {
    const { disk, volume, hands } = await memoryVolume()
    hands.mkdir('m')
    disk.mount('m')
    hands.mkdir('m/.synd')
    hands.write('m/.synd/volume-id', 'nested')
    hands.write('m/.synd/synd-stage-0123456789abcdef', 'left by a crash')
    hands.write('m/.synd/synd-hold-0123456789abcdef', 'somebody’s only copy')
    demandApplied(await put(volume, 'm/f', { content: 'one' }))
    expect([...hands.tree('m').keys()]).toEqual([
      'm/.synd',
      'm/.synd/synd-hold-0123456789abcdef',
      'm/.synd/volume-id',
      'm/f',
    ])
  })
})

async function memoryVolume(): Promise<{ disk: MemoryDisk; volume: SyndVolume; hands: Hands }> {
  const disk = new MemoryDisk({ nowMs: () => 0 })
  const ledger = new TestLedger()
  const ids = countingIds()
  const volume = await openVolume({
    disk: disk.attach(),
    path: '/data',
    durability: 'full',
    ledger,
    ids,
  })
  return { disk, volume, hands: memoryHands(disk) }
}
