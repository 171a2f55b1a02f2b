import { lstatSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Loser } from '../../src/core/conflict.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { realVolume } from '../support/real-volume.ts'
import { openVolume } from '../../src/volume/open.ts'
import { countingIds, fileEntry, symlinkEntry, TestLedger } from '../support/volume-fixture.ts'

/** Rule 9: what is put aside is whole, durable and apart from what is synced. */

function loserOf(path: string, content: string, mode = 0o640): Loser {
  return { ...fileEntry(path, content), mode, mtimeUs: 1_600_000_000_123_456 }
}

test('rule 9: a file that is put aside keeps bytes, mode and time, and stays where it was', async () => {
  await using under = realVolume()
  const { hands, path } = under
  const volume = await under.open()
  hands.mkdir('d')
  hands.mkdir('d/\xff')
  hands.write('d/\xff/x', 'content')
  expect(volume.asideCount()).toBe(0)
  expect(await volume.putAside(loserOf('d/\xff/x', 'content'))).toBe(true)
  expect(hands.read('.synd/quarantine/d/\xff/x')).toBe('content')
  expect(hands.read('d/\xff/x')).toBe('content')
  expect(volume.asideCount()).toBe(1)
  const stat = lstatSync(Buffer.from(join(path, '.synd/quarantine/d/\xff/x'), 'latin1'), {
    bigint: true,
  })
  expect([stat.mode & 0o7777n, stat.mtimeNs / 1000n]).toEqual([0o640n, 1_600_000_000_123_456n])
  expect(statSync(join(path, '.synd/quarantine/d')).mode & 0o7777).toBe(0o700)
  expect(hands.tree('.synd/staging').size).toBe(0)
})

test('rule 9: a large file and a link are put aside too', async () => {
  await using under = realVolume()
  const volume = await under.open()
  const large = 'x'.repeat(400_000)
  under.hands.write('large', large)
  under.hands.symlink('nowhere', 'link')
  expect(await volume.putAside(loserOf('large', large))).toBe(true)
  expect(await volume.putAside(symlinkEntry('link', 'nowhere'))).toBe(true)
  expect(under.hands.read('.synd/quarantine/large')).toBe(large)
  expect(under.hands.tree('.synd').get('.synd/quarantine/link')).toBe('l nowhere')
  expect(volume.asideCount()).toBe(2)
})

test('rule 9: what is not as the index says is not put aside', async () => {
  await using under = realVolume()
  const volume = await under.open()
  under.hands.write('x', 'another')
  expect(await volume.putAside(loserOf('x', 'content'))).toBe(false)
  expect(volume.asideCount()).toBe(0)
})

test('rule 9: nothing that is there already is written over: the same counts, something else gets another place', async () => {
  await using under = realVolume()
  const volume = await under.open()
  for (const content of ['one', 'one', 'two']) {
    under.hands.write('x', content)
    expect(await volume.putAside(loserOf('x', content))).toBe(true)
  }
  under.hands.remove('x')
  under.hands.mkdir('x')
  under.hands.write('x/below', 'below')
  expect(await volume.putAside(loserOf('x/below', 'below'))).toBe(true)
  expect(under.hands.read('.synd/quarantine/x')).toBe('one')
  expect(under.hands.read('.synd/quarantine.1/x')).toBe('two')
  expect(under.hands.read('.synd/quarantine.2/x/below')).toBe('below')
  expect(volume.asideCount()).toBe(3)
})

test.each([0, 0.999])(
  'rule 9: what was put aside is there after a power loss (chance %d)',
  async (chance) => {
    const disk = new MemoryDisk({ nowMs: () => 0 })
    const hands = memoryHands(disk)
    const volume = await openVolume({
      disk: disk.attach({}),
      path: '/data',
      durability: 'full',
      ledger: new TestLedger(),
      ids: countingIds(),
    })
    hands.mkdir('d')
    hands.write('d/x', 'content')
    expect(await volume.putAside(loserOf('d/x', 'content'))).toBe(true)
    await volume.syncDirectories()
    disk.crash(() => chance)
    expect(hands.read('.synd/quarantine/d/x')).toBe('content')
  },
)
