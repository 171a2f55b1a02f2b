import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { openFile } from '../../src/volume/opened-file.ts'
import type { SyndVolume } from '../../src/volume/volume.ts'
import { make, remove } from '../conformance/volume-subject.ts'
import { asNobody, giveToNobody } from '../support/as-nobody.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { realVolume, type RealVolume } from '../support/real-volume.ts'
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
import { openVolume } from '../../src/volume/open.ts'

const isRoot = process.getuid?.() === 0

/** A volume of a user without rights, who also runs the body. */
async function withNobodysVolume(
  body: (under: RealVolume & { readonly volume: SyndVolume }) => Promise<void>,
): Promise<void> {
  await using under = realVolume()
  giveToNobody(under.path)
  chmodSync(under.path, 0o755)
  await asNobody(async () => body({ ...under, volume: await under.open() }))
}

describe('a user without rights', () => {
  test('rule 11: publishes into, replaces in and removes from read-only directories, whose modes stay', () =>
    withNobodysVolume(async ({ volume, hands }) => {
      hands.mkdir('a')
      hands.mkdir('a/b')
      hands.write('a/b/old', 'old')
      hands.chmod('a/b', 0o555)
      hands.chmod('a', 0o500)
      demandApplied(await put(volume, 'a/b/new', { content: 'new' }))
      const old = observed(volume, 'a/b/old')
      const replaced = demandApplied(
        await put(volume, 'a/b/old', { content: 'newer', expected: old }),
      )
      demandApplied(await make(volume, directoryEntry('a/b/d', 0o555)))
      demandApplied(await make(volume, symlinkEntry('a/b/l', 'x')))
      demandApplied(await put(volume, 'a/b/d/inside', { content: 'inside' }))
      await volume.syncDirectories()
      expect([...hands.tree('a')]).toEqual([
        ['a/b', 'd 555'],
        ['a/b/d', 'd 555'],
        ['a/b/d/inside', 'f 644 inside'],
        ['a/b/l', 'l x'],
        ['a/b/new', 'f 644 new'],
        ['a/b/old', 'f 644 newer'],
      ])
      demandApplied(await remove(volume, 'a/b/old', replaced.observation))
      demandApplied(await remove(volume, 'a/b/l', observed(volume, 'a/b/l')))
      demandApplied(await remove(volume, 'a/b/d/inside', observed(volume, 'a/b/d/inside')))
      demandApplied(await remove(volume, 'a/b/d', observed(volume, 'a/b/d')))
      expect([...hands.tree('a').keys()]).toEqual(['a/b', 'a/b/new'])
      expect(hands.tree().get('a')).toBe('d 500')
      expect(hands.tree('.synd/granted').size).toBe(0)
      hands.chmod('a', 0o700)
      hands.chmod('a/b', 0o700)
    }))

  test('publishes into a directory that cannot even be searched, and syncs one that cannot be read', () =>
    withNobodysVolume(async ({ volume, hands }) => {
      hands.mkdir('d')
      hands.chmod('d', 0o600)
      const applied = demandApplied(await put(volume, 'd/f', { content: 'new' }))
      expect(applied.observation?.sizeBytes).toBe(3)
      expect(volume.look(parseRelativePath('d/f'))).toMatchObject({ kind: 'unreadable' })
      await volume.syncDirectories()
      hands.chmod('d', 0o300)
      demandApplied(await put(volume, 'd/g', { content: 'new' }))
      await volume.syncDirectories()
      expect(observed(volume, 'd').mode).toBe(0o300)
      hands.chmod('d', 0o700)
      expect(hands.read('d/f')).toBe('new')
      expect(hands.read('d/g')).toBe('new')
    }))

  test('rule 20: is told what is unreadable, and never that it is gone', () =>
    withNobodysVolume(async ({ disk, volume, hands }) => {
      hands.write('f', 'secret')
      const f = observed(volume, 'f')
      hands.mkdir('d')
      hands.write('d/f', '')
      hands.chmod('f', 0)
      hands.chmod('d', 0)
      const now = observed(volume, 'f')
      expect(await volume.digest(parseRelativePath('f'), now)).toMatchObject({ kind: 'unreadable' })
      expect(f.inode).toBe(now.inode)
      expect(volume.list(parseRelativePath('d'))).toMatchObject({ kind: 'unreadable' })
      expect(volume.look(parseRelativePath('d/f'))).toMatchObject({ kind: 'unreadable' })
      expect(() => openFile(disk, parseRelativePath('f'))).toThrow(/EACCES/)
      hands.chmod('d', 0o400)
      const listing = volume.list(parseRelativePath('d'))
      if (listing.kind !== 'listed') throw new Error(listing.kind)
      expect([...listing.children]).toMatchObject([{ name: 'f', look: { kind: 'unreadable' } }])
      hands.chmod('d', 0o700)
    }))

  test('replaces a file whose mode lets nobody read or write it', () =>
    withNobodysVolume(async ({ volume, hands }) => {
      const first = demandApplied(await put(volume, 'f', { content: 'one', mode: 0 }))
      const entry = fileEntry('f', 'two', { mode: 0o200 })
      const stage = await staged(volume, 'two')
      const second = demandApplied(
        await volume.apply({ kind: 'publish', entry, stage, expected: first.observation }),
      )
      const third = fileEntry('f', 'two', { mode: 0 })
      demandApplied(
        await volume.apply({
          kind: 'set-metadata',
          entry: third,
          expected: second.observation ?? stop(),
        }),
      )
      await volume.syncDirectories()
      hands.chmod('f', 0o600)
      expect(hands.read('f')).toBe('two')
    }))
})

describe.skipIf(!isRoot)('files of other owners', () => {
  test('rule 13: a replaced file keeps the owner it had', async () => {
    await using under = realVolume()
    const volume = await under.open()
    under.hands.write('f', 'old')
    chownSync(join(under.path, 'f'), 1234, 4321)
    demandApplied(
      await put(volume, 'f', { content: 'new', expected: observed(volume, 'f'), mode: 0o640 }),
    )
    expect(statSync(join(under.path, 'f'))).toMatchObject({ uid: 1234, gid: 4321 })
    expect(under.hands.tree()).toEqual(new Map([['f', 'f 640 new']]))
    demandApplied(await put(volume, 'new', { content: 'new' }))
    expect(statSync(join(under.path, 'new')).uid).toBe(process.getuid?.())
  })

  test('rule 22: one that may not be linked (protected_hardlinks) is replaced all the same', async () => {
    await using under = realVolume()
    writeFileSync(join(under.path, 'f'), 'old', { mode: 0o600 })
    giveToNobody(under.path)
    await asNobody(async () => {
      const volume = await under.open()
      const applied = demandApplied(
        await put(volume, 'f', { content: 'new', expected: observed(volume, 'f') }),
      )
      expect(applied.displaced).toBe(false)
      await volume.releaseHolds(applied.hold === null ? [] : [applied.hold])
      expect(under.hands.read('f')).toBe('new')
    })
    expect(statSync(join(under.path, 'f')).uid).toBe(65534)
  })

  test('a read-only directory of somebody else is a failure in words, and nothing is done', async () => {
    await using under = realVolume()
    giveToNobody(under.path)
    mkdirSync(join(under.path, 'd'))
    writeFileSync(join(under.path, 'd/f'), 'old')
    await asNobody(async () => {
      const volume = await under.open()
      expect(await put(volume, 'd/new', { content: 'new' })).toMatchObject({
        kind: 'failed',
        code: 'apply-failed',
        message: 'link: EACCES',
      })
      const f = observed(volume, 'd/f')
      for (const applied of [
        await put(volume, 'd/f', { content: 'new', expected: f }),
        await remove(volume, 'd/f', f),
        await volume.apply({ kind: 'set-metadata', entry: fileEntry('d/f', 'old'), expected: f }),
        await make(volume, directoryEntry('d/d')),
      ])
        expect(applied).toMatchObject({ kind: 'failed', code: 'apply-failed' })
      expect(under.hands.tree('d')).toEqual(new Map([['d/f', 'f 644 old']]))
      expect(under.hands.tree('.synd/granted').size).toBe(0)
    })
  })
})

test('rule 22: where there are no hard links files are published, replaced and removed by rename', async () => {
  const disk = new MemoryDisk({ nowMs: () => 0 })
  const hands = memoryHands(disk)
  const volume = await openVolume({
    disk: disk.attach({ refuse: ({ operation }) => (operation === 'link' ? 'EPERM' : null) }),
    path: '/data',
    durability: 'full',
    ledger: new TestLedger(),
    ids: countingIds(),
  })
  const first = demandApplied(await put(volume, 'f', { content: 'one' }))
  expect(await put(volume, 'f', { content: 'two' })).toEqual({ kind: 'changed' })
  const second = demandApplied(
    await put(volume, 'f', { content: 'two', expected: first.observation }),
  )
  expect(hands.read('f')).toBe('two')
  hands.append('f', ' edit')
  expect(await put(volume, 'f', { content: 'three', expected: second.observation })).toEqual({
    kind: 'changed',
  })
  demandApplied(await remove(volume, 'f', observed(volume, 'f')))
  expect(hands.tree().size).toBe(0)
})

function stop(): never {
  throw new Error('nothing there')
}
