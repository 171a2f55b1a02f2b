import { describe, expect, test } from 'vitest'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { openVolume } from '../../src/volume/open.ts'
import type { SyndVolume } from '../../src/volume/volume.ts'
import { randomOf } from '../support/crash-run.ts'
import type { DiskCall } from '../support/memory-disk-attached.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { memoryHands } from '../support/memory-hands.ts'
import {
  countingIds,
  demandApplied,
  fileEntry,
  observed,
  someMtimeUs,
  staged,
  TestLedger,
} from '../support/volume-fixture.ts'

const metadata = { mode: 0o644, mtimeUs: someMtimeUs }
const names = ['a', 'b', 'c'] as const

/** A volume on a disk in memory, with all that was called on it. */
async function open() {
  const disk = new MemoryDisk({ nowMs: () => 1_763_900_000_000 })
  const ledger = new TestLedger()
  const calls: DiskCall[] = []
  const volume = await openVolume({
    disk: disk.attach({
      effect: (call) => {
        if (call.when === 'after') calls.push(call)
      },
    }),
    path: '/volume',
    durability: 'full',
    ledger,
    ids: countingIds(),
  })
  const syncs = (): number => calls.filter(({ operation }) => operation === 'sync-file').length
  return { disk, ledger, volume, syncs, hands: memoryHands(disk) }
}

async function publish(
  volume: SyndVolume,
  name: string,
  stage: Awaited<ReturnType<typeof staged>>,
) {
  const entry = fileEntry(name, `content of ${name}`)
  demandApplied(await volume.apply({ kind: 'publish', entry, stage, expected: null }))
}

describe('stages that are brought to the disk together', () => {
  test('are whole wherever the power goes off once one of them has its name', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { disk, volume, hands } = await open()
      const stages = await Promise.all(
        names.map((name) => staged(volume, `content of ${name}`, metadata)),
      )
      await volume.syncStages(stages)
      for (const [i, stage] of stages.entries()) await publish(volume, names[i] ?? '', stage)
      disk.crash(randomOf(seed))
      for (const name of names) {
        const found = hands.tree().get(name)
        if (found !== undefined) expect(found, `seed ${seed}`).toBe(`f 644 content of ${name}`)
      }
    }
  })

  test('are synced once each, and one that was left out when it gets its name', async () => {
    const { volume, syncs } = await open()
    const stages = await Promise.all(
      names.map((name) => staged(volume, `content of ${name}`, metadata)),
    )
    const before = syncs()
    await volume.syncStages(stages.slice(1))
    await volume.syncStages(stages.slice(1))
    expect(syncs() - before).toBe(2)
    for (const [i, stage] of stages.entries()) await publish(volume, names[i] ?? '', stage)
    expect(syncs() - before).toBe(3)
  })

  test('do not mind one that was dropped', async () => {
    const { volume, hands } = await open()
    const [dropped, kept] = [
      await staged(volume, 'content of a', metadata),
      await staged(volume, 'content of b', metadata),
    ]
    await dropped.discard()
    await volume.syncStages([dropped, kept])
    await publish(volume, 'b', kept)
    expect(hands.read('b')).toBe('content of b')
  })
})

describe('holds that are prepared together', () => {
  async function withFiles() {
    const opened = await open()
    for (const name of names) opened.hands.write(name, 'old')
    const files = names.map((name) => ({
      path: parseRelativePath(name),
      expected: observed(opened.volume, name),
    }))
    return { ...opened, files }
  }

  test('are recorded at one go, and used by the changes of their paths', async () => {
    const { volume, ledger, files, hands } = await withFiles()
    const ids = volume.prepareHolds(files)
    expect(ledger.recordings).toBe(1)
    const held: (string | null)[] = []
    for (const file of files)
      held.push(demandApplied(await volume.apply({ kind: 'remove', ...file })).hold)
    expect(held).toEqual(ids)
    expect(ledger.recordings).toBe(1)
    expect(ids.map((id) => hands.read(`.synd/hold/${id}`))).toEqual(['old', 'old', 'old'])
  })

  test('keep nothing when they are not needed', async () => {
    const { volume, files } = await withFiles()
    const [id = ''] = volume.prepareHolds(files)
    expect(volume.lookHold(id)).toEqual({ kind: 'absent' })
  })

  test('are of no use to a change that expects another file', async () => {
    const { volume, ledger, files, hands } = await withFiles()
    const ids = volume.prepareHolds(files)
    hands.write('a', 'newer')
    const expected = observed(volume, 'a')
    const path = parseRelativePath('a')
    const { hold } = demandApplied(await volume.apply({ kind: 'remove', path, expected }))
    expect(ids).not.toContain(hold)
    expect(ledger.holds().find(({ id }) => id === hold)?.expected).toEqual(expected)
  })
})
