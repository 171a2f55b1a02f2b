import { describe, expect, test } from 'vitest'
import { DiskError, errnoOf, type Disk, type DiskStat } from '../../src/volume/disk.ts'
import { sha256 } from '../../src/volume/sha256.ts'
import type { Hands } from '../support/hands.ts'
import { nastyNames } from '../support/nasty-names.ts'

export interface DiskUnderTest {
  readonly disk: Disk
  readonly hands: Hands
  readonly dispose: () => Promise<void>
}

/** What every Disk does alike. */
export function diskSuite(name: string, open: () => DiskUnderTest): void {
  const withDisk = (title: string, body: (under: DiskUnderTest) => Promise<void> | void): void =>
    test(title, async () => {
      const under = open()
      try {
        await body(under)
      } finally {
        await under.dispose()
      }
    })

  describe(`${name} as a disk`, () => {
    for (const path of ['f', 'd/e/f'])
      withDisk(
        `what is created meanwhile is as what is created: ${path}`,
        async ({ disk, hands }) => {
          disk.mkdir('d', 0o755)
          disk.mkdir('d/e', 0o755)
          hands.symlink('d', 'l')
          const file = await disk.createMeanwhile(path, 0o600)
          await file.write(bytes('hello'))
          file.close()
          expect(hands.tree().get(path)).toBe('f 600 hello')
          const refusals: Promise<unknown>[] = [path, 'l', 'l/new', 'd/none/f', `${path}/f`].map(
            (at) => disk.createMeanwhile(at, 0o600).catch(errnoOf),
          )
          expect(await Promise.all(refusals)).toEqual([
            'EEXIST',
            'EEXIST',
            'ENOTDIR',
            'ENOENT',
            'ENOTDIR',
          ])
          expect(hands.read(path)).toBe('hello')
        },
      )

    withDisk(
      'a file that is created, written and closed is there with its mode and time',
      async ({ disk, hands }) => {
        const file = disk.create('f', 0o600)
        await file.write(bytes('hello '))
        await file.write(bytes('world'))
        file.setMode(0o640)
        file.setMtime(1_700_000_000_123_457)
        await file.sync()
        const stat = file.stat()
        file.close()
        expect(hands.read('f')).toBe('hello world')
        expect(stat).toMatchObject({ kind: 'file', mode: 0o640, sizeBytes: 11 })
        expect(stat.mtimeNs / 1000n).toBe(1_700_000_000_123_457n)
        expect(disk.lstat('f')).toEqual(stat)
      },
    )

    withDisk('what is skipped in a new file reads as zeros', async ({ disk, hands }) => {
      const file = disk.create('f', 0o600)
      file.skip(5_000)
      await file.write(bytes('a'))
      file.skip(3)
      await file.write(bytes('b'))
      file.skip(100_000)
      expect(file.stat().sizeBytes).toBe(105_005)
      await file.sync()
      file.close()
      const zeros = (count: number): string => '\0'.repeat(count)
      const content = `${zeros(5_000)}a${zeros(3)}b${zeros(100_000)}`
      expect(hands.read('f') === content).toBe(true)
      await disk.copy('f', 'copy')
      expect(hands.read('copy') === content).toBe(true)
    })

    withDisk('creating refuses what is there already, links too', ({ disk, hands }) => {
      hands.write('f', 'mine')
      hands.symlink('nowhere', 'l')
      hands.mkdir('d')
      for (const path of ['f', 'l', 'd']) {
        expect(
          errno(() => disk.create(path, 0o600)),
          path,
        ).toBe('EEXIST')
        expect(
          errno(() => disk.mkdir(path, 0o700)),
          path,
        ).toBe('EEXIST')
        expect(
          errno(() => disk.symlink('x', path)),
          path,
        ).toBe('EEXIST')
        expect(
          errno(() => disk.link('f', path)),
          path,
        ).toBe('EEXIST')
      }
      expect(hands.tree()).toEqual(
        new Map([
          ['d', 'd 755'],
          ['f', 'f 644 mine'],
          ['l', 'l nowhere'],
        ]),
      )
    })

    withDisk('an opened file is read, hashed and outlives its name', async ({ disk, hands }) => {
      hands.write('f', '0123456789')
      const file = disk.openForReading('f')
      hands.remove('f')
      expect(text(await file.read(2, 3))).toBe('234')
      expect(text(await file.read(8, 100))).toBe('89')
      expect(text(await file.read(10, 100))).toBe('')
      expect(await file.sha256()).toEqual({ digest: sha256(bytes('0123456789')), sizeBytes: 10 })
      expect(file.stat().sizeBytes).toBe(10)
      file.close()
      hands.write('empty', '')
      const empty = disk.openForReading('empty')
      expect(await empty.sha256()).toEqual({ digest: sha256(bytes('')), sizeBytes: 0 })
      empty.close()
    })

    withDisk('a file is written over from its start', async ({ disk, hands }) => {
      hands.write('f', 'old content')
      const file = disk.openForWriting('f')
      await file.write(bytes('new'))
      await file.sync()
      file.close()
      expect(hands.read('f')).toBe('new content')
      expect(errno(() => disk.openForWriting('nothing'))).toBe('ENOENT')
    })

    withDisk(
      'symlinks are read, timed and linked themselves, never followed',
      ({ disk, hands }) => {
        hands.mkdir('d')
        hands.write('d/f', 'mine')
        disk.symlink('d', 'l')
        disk.symlink('d/f', 'lf')
        disk.setMtime('lf', 1_000_000_000_000_000)
        disk.link('lf', 'lf2')
        expect(disk.readlink('lf2')).toBe('d/f')
        expect(disk.lstat('lf2')).toMatchObject({ kind: 'symlink', sizeBytes: 3 })
        expect(disk.lstat('lf')?.mtimeNs).not.toBe(disk.lstat('d/f')?.mtimeNs)
        expect(disk.lstat('l/f')).toBeNull()
        expect(disk.lstatEach('l', ['f'])).toEqual([null])
        expect(errno(() => disk.openForReading('lf'))).toBe('ELOOP')
        expect(errno(() => disk.openForWriting('lf'))).toBe('ELOOP')
        expect(errno(() => disk.chmod('lf', 0o600))).toBe('ENOTSUP')
        expect(errno(() => disk.readlink('d'))).toBe('EINVAL')
        for (const call of [
          () => disk.list('l'),
          () => disk.create('l/new', 0o600),
          () => disk.openForReading('l/f'),
          () => disk.openForWriting('l/f'),
          () => disk.mkdir('l/new', 0o700),
          () => disk.symlink('x', 'l/new'),
          () => disk.link('d/f', 'l/new'),
          () => disk.link('l/f', 'new'),
          () => disk.rename('d/f', 'l/f'),
          () => disk.rename('l/f', 'f'),
          () => disk.unlink('l/f'),
          () => disk.rmdir('l'),
          () => disk.chmod('l/f', 0o600),
          () => disk.setMtime('l/f', 0),
          () => disk.readlink('l/f'),
        ]) {
          expect(errno(call), call.toString()).toBe('ENOTDIR')
        }
        expect(hands.tree('d')).toEqual(new Map([['d/f', 'f 644 mine']]))
      },
    )

    withDisk('a rename replaces files and links, and refuses other kinds', ({ disk, hands }) => {
      hands.write('a', 'a')
      hands.write('b', 'b')
      hands.symlink('t', 'l')
      hands.mkdir('d')
      hands.mkdir('full')
      hands.write('full/x', '')
      hands.mkdir('empty')
      disk.rename('a', 'b')
      disk.rename('b', 'l')
      expect(hands.read('l')).toBe('a')
      expect(errno(() => disk.rename('l', 'd'))).toBe('EISDIR')
      expect(errno(() => disk.rename('d', 'l'))).toBe('ENOTDIR')
      expect(errno(() => disk.rename('d', 'full'))).toMatch(/ENOTEMPTY|EEXIST/)
      expect(errno(() => disk.rename('nothing', 'x'))).toBe('ENOENT')
      expect(errno(() => disk.rename('l', 'nowhere/x'))).toBe('ENOENT')
      disk.rename('full', 'empty')
      expect([...hands.tree().keys()]).toEqual(['d', 'empty', 'empty/x', 'l'])
    })

    withDisk('a link is a second name of one file', ({ disk, hands }) => {
      hands.write('a', 'x')
      disk.link('a', 'b')
      hands.append('a', 'y')
      expect(hands.read('b')).toBe('xy')
      expect(disk.lstat('a')?.inode).toBe(disk.lstat('b')?.inode)
      hands.mkdir('d')
      expect(errno(() => disk.link('d', 'e'))).toBe('EPERM')
      expect(errno(() => disk.link('nothing', 'e'))).toBe('ENOENT')
      expect(errno(() => disk.link('a', 'nowhere/e'))).toBe('ENOENT')
      expect(errno(() => disk.link('a', 'b/e'))).toBe('ENOTDIR')
    })

    withDisk('link, unlink, rename and chmod move the change time', ({ disk, hands }) => {
      hands.write('a', 'x')
      const times: bigint[] = []
      const note = (path: string): void => void times.push(present(disk.lstat(path)).ctimeNs)
      note('a')
      for (const step of [
        () => disk.link('a', 'b'),
        () => disk.unlink('b'),
        () => disk.chmod('a', 0o600),
        () => disk.setMtime('a', 0),
      ]) {
        waitForClock(disk, hands)
        step()
        note('a')
      }
      waitForClock(disk, hands)
      disk.rename('a', 'c')
      note('c')
      expect(times).toEqual([...new Set(times)].toSorted((a, b) => (a < b ? -1 : 1)))
    })

    withDisk('directories are made, listed and removed when empty', ({ disk, hands }) => {
      disk.mkdir('d', 0o755)
      disk.mkdir('d/e', 0o755)
      hands.write('d/f', 'x')
      expect([...disk.list('d')].toSorted()).toEqual(['e', 'f'])
      expect([...disk.list('')]).toContain('d')
      expect(disk.list('d/e')).toEqual([])
      expect(errno(() => disk.rmdir('d'))).toMatch(/ENOTEMPTY|EEXIST/)
      expect(errno(() => disk.rmdir('d/f'))).toBe('ENOTDIR')
      expect(errno(() => disk.unlink('d/e'))).toMatch(/EISDIR|EPERM/)
      expect(errno(() => disk.list('d/f'))).toBe('ENOTDIR')
      expect(errno(() => disk.list('nothing'))).toBe('ENOENT')
      disk.rmdir('d/e')
      expect(errno(() => disk.rmdir('d/e'))).toBe('ENOENT')
      disk.unlink('d/f')
      disk.rmdir('d')
      expect(disk.lstat('d')).toBeNull()
    })

    withDisk(
      'many files of a directory are unlinked, and all are tried',
      async ({ disk, hands }) => {
        const names = Array.from({ length: 20 }, (_, n) => `${n}`)
        disk.mkdir('d', 0o755)
        for (const name of names) hands.write(`d/${name}`, name)
        hands.symlink('d', 'l')
        const unlinking = (directory: string, those: readonly string[]): Promise<string | null> =>
          disk.unlinkEach(directory, those).then(() => 'done', errnoOf)
        expect(await unlinking('d', [])).toBe('done')
        expect(await unlinking('l', names)).toBe('ENOTDIR')
        expect(await unlinking('nothing', names)).toBe('ENOENT')
        expect(disk.list('d').length).toBe(20)
        expect(await unlinking('d', ['none', ...names.slice(1)])).toBe('ENOENT')
        expect(disk.list('d')).toEqual(['0'])
        expect(await unlinking('d', ['0'])).toBe('done')
      },
    )

    withDisk('a directory has exactly the mode that was asked for', ({ disk }) => {
      for (const mode of [0o777, 0o775, 0o700, 0o555, 0]) {
        disk.mkdir('d', mode)
        expect(disk.lstat('d')?.mode).toBe(mode)
        disk.rmdir('d')
      }
    })

    withDisk('a set-gid directory hands the bit on', ({ disk }) => {
      disk.mkdir('d', 0o755)
      disk.chmod('d', 0o2755)
      disk.mkdir('d/e', 0o755)
      expect(disk.lstat('d/e')?.mode).toBe(0o2755)
      disk.chmod('d/e', 0o755)
      expect(disk.lstat('d/e')?.mode).toBe(0o755)
    })

    withDisk('what is not there is null, whatever of the path is missing', ({ disk, hands }) => {
      hands.write('f', '')
      hands.mkdir('d')
      expect(disk.lstat('x')).toBeNull()
      expect(disk.lstat('x/y')).toBeNull()
      expect(disk.lstat('f/y')).toBeNull()
      expect(disk.lstat('d/y')).toBeNull()
      expect(disk.lstatEach('d', ['a', 'b'])).toEqual([null, null])
      expect(disk.lstatEach('x', ['a', 'b'])).toEqual([null, null])
      expect(disk.lstatEach('', ['f'])).toEqual([disk.lstat('f')])
    })

    withDisk('the root is a directory like another', async ({ disk }) => {
      const root = present(disk.lstat(''))
      expect(root.kind).toBe('directory')
      expect(disk.lookRoot()).toMatchObject({ inode: root.inode, device: root.device })
      await disk.syncDirectory('')
    })

    withDisk('a copy has the bytes and mode, and is a file of its own', async ({ disk, hands }) => {
      hands.write('a', 'content')
      hands.chmod('a', 0o640)
      hands.mkdir('d')
      await disk.copy('a', 'd/b')
      hands.append('a', ' more')
      expect(hands.tree('d')).toEqual(new Map([['d/b', 'f 640 content']]))
      await expect(disk.copy('a', 'd/b')).rejects.toThrow(DiskError)
      await expect(disk.copy('nothing', 'c')).rejects.toThrow(DiskError)
      hands.symlink('a', 'l')
      await expect(disk.copy('l', 'c')).rejects.toThrow(DiskError)
      await expect(disk.copy('a', 'l')).rejects.toThrow(DiskError)
      expect(hands.read('a')).toBe('content more')
    })

    withDisk('files and directories are synced, and links refused', async ({ disk, hands }) => {
      hands.mkdir('d')
      hands.write('d/f', 'x')
      hands.symlink('d', 'l')
      await disk.syncFile('d/f')
      await disk.syncDirectory('d')
      await expect(disk.syncDirectory('l')).rejects.toThrow(DiskError)
      await expect(disk.syncDirectory('nothing')).rejects.toThrow(DiskError)
      await expect(disk.syncFile('l/f')).rejects.toThrow(DiskError)
    })

    withDisk(
      'times before 1970 and far from now are kept to the microsecond',
      ({ disk, hands }) => {
        hands.write('f', '')
        for (const us of [
          0, 1, -1, -1_500_000, -1_234_567_890_123_456, 1_763_912_345_999_999,
          4_102_444_800_000_001,
        ]) {
          disk.setMtime('f', us)
          const ns = present(disk.lstat('f')).mtimeNs
          expect(ns >= BigInt(us) * 1000n && ns < BigInt(us + 1) * 1000n, `${us} → ${ns}`).toBe(
            true,
          )
        }
      },
    )

    withDisk('every name that Linux allows works in every call', async ({ disk, hands }) => {
      disk.mkdir('names', 0o755)
      for (const name of nastyNames) {
        const path = `names/${name}`
        disk.mkdir(path, 0o755)
        const file = disk.create(`${path}/${name}`, 0o644)
        await file.write(bytes(name))
        file.close()
        disk.symlink(name, `${path}/l`)
        expect(disk.readlink(`${path}/l`)).toBe(name)
        disk.rename(`${path}/${name}`, `${path}/moved`)
        disk.link(`${path}/moved`, `${path}/${name}`)
        disk.unlink(`${path}/moved`)
        disk.chmod(`${path}/${name}`, 0o600)
        await disk.copy(`${path}/${name}`, `${path}/copy`)
        expect(hands.read(`${path}/${name}`)).toBe(name)
      }
      expect([...disk.list('names')].toSorted()).toEqual([...nastyNames].toSorted())
      const looks = disk.lstatEach('names', nastyNames)
      for (const look of looks) expect(look).toMatchObject({ kind: 'directory' })
      expect(errno(() => disk.mkdir(`names/${'n'.repeat(256)}`, 0o700))).toBe('ENAMETOOLONG')
    })

    withDisk('a path of 4,095 bytes works', async ({ disk }) => {
      const names = Array.from({ length: 313 }, (_, i) => `directory${i % 10}--`)
      names.push('d'.repeat(24))
      for (let depth = 1; depth <= names.length; depth++) {
        disk.mkdir(names.slice(0, depth).join('/'), 0o755)
      }
      const path = `${names.join('/')}/f`
      expect(path.length).toBe(4095)
      const file = disk.create(path, 0o644)
      await file.write(bytes('deep'))
      file.close()
      const read = disk.openForReading(path)
      expect(text(await read.read(0, 100))).toBe('deep')
      read.close()
      expect(disk.list(names.join('/'))).toEqual(['f'])
      disk.rename(path, `${names.join('/')}/g`)
    })
  })
}

function bytes(latin1: string): Uint8Array {
  return Buffer.from(latin1, 'latin1')
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

function errno(call: () => unknown): string | null {
  try {
    call()
  } catch (error) {
    return errnoOf(error)
  }
  return 'none'
}

function present(stat: DiskStat | null): DiskStat {
  if (stat === null) throw new Error('nothing there')
  return stat
}

/** The kernel's clock for files ticks every few milliseconds: until it has, two changes may bear one time. */
function waitForClock(disk: Disk, hands: Hands): void {
  hands.write('clock', '')
  const before = present(disk.lstat('clock')).mtimeNs
  while (present(disk.lstat('clock')).mtimeNs === before) hands.write('clock', '')
}
