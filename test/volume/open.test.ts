import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SyndError, type ErrorCode } from '../../src/core/errors.ts'
import { openGround } from '../../src/volume/open.ts'
import { asNobody, giveToNobody } from '../support/as-nobody.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { realVolume } from '../support/real-volume.ts'
import { canMount, mountSmallFileSystem } from '../support/small-file-system.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { countingIds, TestLedger } from '../support/volume-fixture.ts'
import { openVolume } from '../../src/volume/open.ts'

/** Opens `path` and expects one line that names the setting, the path and the reason. */
async function expectRefusal(path: string, code: ErrorCode, reason: RegExp): Promise<void> {
  const error: unknown = await openGround(path).then(
    async (ground) => ground.stop(),
    (error: unknown) => error,
  )
  if (!(error instanceof SyndError)) throw new Error(`not refused: ${String(error)}`)
  expect(error.code).toBe(code)
  expect(error.message).toMatch(/^SYND_VOLUME: "/)
  expect(error.message).toContain(path)
  expect(error.message).toMatch(reason)
  expect(error.message).not.toContain('\n')
}

describe('what cannot be a volume is refused in words', () => {
  test('a path where nothing is, and one that is a file', async () => {
    const { path, remove } = temporaryDirectory()
    writeFileSync(join(path, 'file'), '')
    symlinkSync('nowhere', join(path, 'dangling'))
    await expectRefusal(join(path, 'nothing'), 'volume-missing', /does not exist/)
    await expectRefusal(join(path, 'dangling'), 'volume-missing', /does not exist/)
    await expectRefusal(join(path, 'file'), 'volume-missing', /no directory/)
    remove()
  })

  test('something in the way of .synd', async () => {
    const { path, remove } = temporaryDirectory()
    const outside = join(path, 'outside')
    mkdirSync(outside)
    const volume = join(path, 'volume')
    mkdirSync(volume)
    writeFileSync(join(volume, '.synd'), 'mine')
    await expectRefusal(volume, 'volume-unwritable', /something named \.synd/)
    rmSync(join(volume, '.synd'))
    symlinkSync(outside, join(volume, '.synd'))
    await expectRefusal(volume, 'volume-unwritable', /something named \.synd/)
    expect(execFileSync('ls', ['-A', outside]).toString()).toBe('')
    rmSync(join(volume, '.synd'))
    mkdirSync(join(volume, '.synd'))
    symlinkSync(join(outside, 'lock'), join(volume, '.synd', 'lock'))
    await expectRefusal(volume, 'volume-unwritable', /symlink at \.synd\/lock/)
    expect(execFileSync('ls', ['-A', outside]).toString()).toBe('')
    remove()
  })

  test('a directory that this user cannot read, or not change', async () => {
    const { path, remove } = temporaryDirectory()
    chmodSync(path, 0o755)
    const volume = join(path, 'volume')
    mkdirSync(volume)
    giveToNobody(volume)
    await asNobody(async () => {
      chmodSync(volume, 0o300)
      await expectRefusal(volume, 'volume-unreadable', /cannot be read by uid \d+ \(EACCES\)/)
      chmodSync(volume, 0o500)
      await expectRefusal(volume, 'volume-unwritable', /cannot be written by uid \d+ \(EACCES\)/)
      chmodSync(volume, 0o700)
      await (await openGround(volume)).stop()
      chmodSync(volume, 0o500)
      await expectRefusal(volume, 'volume-unwritable', /cannot be written by uid \d+ \(EACCES\)/)
      chmodSync(volume, 0o700)
    })
    remove()
  })

  test.skipIf(!canMount)('a file system that is read-only, or full', async () => {
    using small = mountSmallFileSystem(4 * 1024 * 1024)
    small.fill('fill')
    await expectRefusal(small.path, 'volume-unwritable', /is full/)
    rmSync(join(small.path, 'fill'))
    await (await openGround(small.path)).stop()
    small.setReadOnly()
    await expectRefusal(small.path, 'volume-unwritable', /mounted read-only/)
  })
})

describe('the lock', () => {
  test('a volume is had once, and again after it was let go', async () => {
    const { path, remove } = temporaryDirectory()
    const first = await openGround(path)
    await expectRefusal(path, 'volume-locked', /in use by another Synd process/)
    await first.stop()
    await (await openGround(path)).stop()
    remove()
  })

  test('another process keeps us off, until it is killed', async () => {
    const { path, remove } = temporaryDirectory()
    const program = `
      const { openGround } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/volume/open.ts'))})
      await openGround(${JSON.stringify(path)})
      console.log('locked')
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    await expectRefusal(path, 'volume-locked', /in use by another Synd process/)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await (await openGround(path)).stop()
    remove()
  })
})

describe('.synd', () => {
  test('holds what the contract says, closed to others', async () => {
    await using under = realVolume()
    chmodSync(under.path, 0o2775)
    const umask = process.umask(0)
    const volume = await under.open()
    process.umask(umask)
    const at = (name: string): string => join(under.path, '.synd', name)
    for (const directory of ['', 'staging', 'hold'])
      expect(statSync(at(directory)).mode & 0o777, directory).toBe(0o700)
    expect(readFileSync(at('.gitignore'), 'utf8')).toBe('*\n')
    expect(readFileSync(at('volume-id'), 'utf8')).toMatch(/^[0-9a-f]{16}\n[0-9a-f]{16}\n$/)
    expect(volume.keepsModes).toBe(true)
    expect(volume.keepsSymlinks).toBe(true)
    expect([...under.hands.tree('.synd/staging').keys()]).toEqual([])
  })

  test('is opened again as it is, its id and mark the same', async () => {
    await using under = realVolume()
    const first = await under.open()
    const second = await under.open()
    expect(second.marker).toEqual(first.marker)
    await second.setGeneration('00000000000000ff')
    const third = await under.open()
    expect(third.marker).toEqual({ ...first.marker, generation: '00000000000000ff' })
  })

  test('rule 1: has another mark in a copy of the volume', async () => {
    await using under = realVolume()
    const original = await under.open()
    const copied = `${under.path}-copy`
    execFileSync('cp', ['-a', under.path, copied])
    await using copy = realVolume(copied)
    const { id, mark } = (await copy.open()).marker
    expect(id).toBe(original.marker.id)
    expect(mark).not.toBe(original.marker.mark)
    rmSync(copied, { recursive: true })
  })

  test('gets a new marker when it was cut off by a crash', async () => {
    await using under = realVolume()
    const { marker } = await under.open()
    writeFileSync(join(under.path, '.synd', 'volume-id'), '')
    const again = await under.open()
    expect(again.marker.id).not.toBe(marker.id)
  })
})

describe('rule 20: a volume that is lost under a running peer', () => {
  test('is halted as missing or foreign, and goes on when it is back', async () => {
    await using under = realVolume()
    const volume = await under.open()
    expect(volume.halt()).toBeNull()
    const aside = `${under.path}-aside`
    renameSync(under.path, aside)
    expect(volume.halt()).toMatchObject({ code: 'volume-missing' })
    writeFileSync(under.path, '')
    expect(volume.halt()).toMatchObject({ code: 'volume-missing' })
    rmSync(under.path)
    mkdirSync(under.path)
    expect(volume.halt()).toMatchObject({ code: 'volume-foreign' })
    rmSync(under.path, { recursive: true })
    renameSync(aside, under.path)
    expect(volume.halt()).toBeNull()
  })

  test('is halted when .synd is gone or another one', async () => {
    await using under = realVolume()
    const volume = await under.open()
    under.hands.rename('.synd', 'aside')
    expect(volume.halt()).toMatchObject({ code: 'volume-foreign' })
    expect(volume.halt()?.message).toMatch(/has no \.synd\/volume-id/)
    execFileSync('cp', ['-a', join(under.path, 'aside'), join(under.path, '.synd')])
    expect(volume.halt()?.message).toMatch(/has another \.synd\/volume-id/)
    under.hands.remove('.synd')
    under.hands.rename('aside', '.synd')
    expect(volume.halt()).toBeNull()
  })

  test('is halted when it cannot be read', async () => {
    let errno: string | null = null
    const disk = new MemoryDisk({ nowMs: () => 0 })
    const attached = disk.attach({
      refuse: ({ operation }) => (operation === 'stat-root' ? errno : null),
    })
    const volume = await openVolume({
      disk: attached,
      path: '/data',
      durability: 'full',
      ledger: new TestLedger(),
      ids: countingIds(),
    })
    errno = 'EIO'
    expect(volume.halt()).toMatchObject({ code: 'volume-unreadable' })
    errno = null
    disk.setRootThere(false)
    expect(volume.halt()).toMatchObject({ code: 'volume-missing' })
    disk.setRootThere(true)
    expect(volume.halt()).toBeNull()
    disk.replaceRoot()
    memoryHands(disk).write('f', '')
    expect(volume.halt()).toMatchObject({ code: 'volume-foreign' })
  })
})
