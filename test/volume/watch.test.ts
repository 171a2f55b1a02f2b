import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { inotifyWatches } from '../../src/volume/inotify-limits.ts'
import { watcherSuite } from '../conformance/watcher-suite.ts'
import {
  diskVolume,
  follow,
  scansIn,
  unwatchedDirectories,
  until,
  type DiskVolume,
  type Follower,
} from './watch-fixture.ts'

watcherSuite('chokidar on the disk', () => diskVolume())
watcherSuite('found by itself', () => diskVolume({ mode: 'auto' }))
watcherSuite('polling', () => diskVolume({ mode: 'polling', pollIntervalMs: 20 }))

describe('VolumeWatcher', () => {
  let volume: DiskVolume
  let follower: Follower

  // Without the checks that make up for what was missed.
  beforeEach(() => {
    volume = diskVolume({ checkDelayMs: 3_600_000 })
  })
  afterEach(async () => {
    await follower.stop()
    volume.dispose()
  })

  /** No full scan but the first led to it, and whatever comes next will be heard. */
  async function expectCaughtUp(): Promise<void> {
    await follower.caughtUp()
    await until(async () => (await unwatchedDirectories(volume)).length === 0)
    expect(scansIn(follower.hints)).toBe(1)
  }

  test('a tree made in no time is known to the last leaf', async () => {
    follower = await follow(volume)
    for (let i = 0; i < 20; i++) {
      volume.makeDirectory(`a/b${i}/c/d/e/f`)
      volume.write(`a/b${i}/c/d/e/f/leaf`, 'x')
    }
    await expectCaughtUp()
    volume.append('a/b7/c/d/e/f/leaf', 'y')
    await expectCaughtUp()
  })

  const nastyNames = [
    ' ',
    'with space',
    '"quoted\'',
    'new\nline',
    '-rf',
    '$(id)',
    '*',
    'foo~',
    '.a.swp',
    '.subl1.tmp',
    '.#emacs',
    '4913',
    'back\\slash',
    'trailing\\',
    '\\',
    '\xff\xfe',
    '\xc3\xa9', // é
    '\xef\xbf\xbd', // U+FFFD itself, in good UTF-8
    '\xed\xa0\x80', // half of a surrogate pair
    '..\xff',
    '__proto__',
    'x'.repeat(255),
    '\xe9'.repeat(255),
  ]
  for (const name of nastyNames) {
    test(`a file and a directory named ${JSON.stringify(name.slice(0, 20))} are watched`, async () => {
      volume.makeDirectory(`before/${name}`)
      follower = await follow(volume)
      volume.write(`before/${name}/file`, 'x')
      volume.makeDirectory('files')
      volume.write(`files/${name}`, 'x')
      volume.makeDirectory(`${name}/${name}/below`)
      await expectCaughtUp()
      volume.write(`${name}/${name}/below/${name}`, 'x')
      volume.append(`before/${name}/file`, 'y')
      volume.makeDirectory(`before/${name}/later/still`)
      volume.append(`files/${name}`, 'y')
      await expectCaughtUp()
      volume.write(`before/${name}/later/still/file`, 'x')
      volume.setMode(`${name}/${name}/below`, 0o700)
      volume.rename(`${name}/${name}`, 'moved')
      volume.remove(`files/${name}`)
      await expectCaughtUp()
      volume.append(`moved/below/${name}`, 'y')
      volume.rename(name, `before/${name}/later/still/${name}`)
      await expectCaughtUp()
      volume.write(`before/${name}/later/still/${name}/last`, 'x')
      await expectCaughtUp()
    })
  }

  test('a directory with a backslash and the two that its name looks like are three', async () => {
    volume.makeDirectory('a/b/same')
    volume.makeDirectory('a\\b/same')
    follower = await follow(volume)
    volume.write('a/b/same/file', 'x')
    volume.write('a\\b/same/file', 'x')
    await expectCaughtUp()
    volume.remove('a\\b')
    await expectCaughtUp()
    volume.append('a/b/same/file', 'y')
    volume.makeDirectory('a\\b/same')
    await expectCaughtUp()
    volume.remove('a/b')
    volume.write('a\\b/same/again', 'x')
    await expectCaughtUp()
  })

  for (const name of ['dist', '\xff', 'back\\slash']) {
    test(`${JSON.stringify(name)} replaced by another of its name is watched, whatever its inode`, async () => {
      const tree = `${name}/${name}/deep`
      volume.makeDirectory(tree)
      volume.write(`${name}/file`, 'x')
      follower = await follow(volume)
      for (let i = 0; i < 30; i++) {
        volume.remove(name)
        volume.makeDirectory(tree)
        volume.write(`${name}/file`, `${i}`)
        volume.write(`${tree}/file`, `${i}`)
        if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
        if (i % 10 === 0) await expectCaughtUp()
      }
      await expectCaughtUp()
      volume.append(`${tree}/file`, '!')
      await expectCaughtUp()
    })
  }

  test('a tree that is moved in whole is watched where chokidar cannot, too', async () => {
    follower = await follow(volume)
    volume.makeDirectory('.synd/staged/fine/\xff/deep')
    volume.makeDirectory('.synd/staged/back\\slash/deep')
    volume.rename('.synd/staged', 'tree')
    await expectCaughtUp()
    volume.write('tree/fine/\xff/deep/file', 'x')
    volume.write('tree/back\\slash/deep/file', 'x')
    await expectCaughtUp()
  })

  test('only the first event of a name that is not UTF-8 costs a listing', async () => {
    volume.write('d\xff', 'x')
    follower = await follow(volume)
    volume.append('d\xff', 'y')
    await until(() => follower.hints.some(({ kind }) => kind === 'list'))
    const before = follower.hints.length
    volume.append('d\xff', 'z')
    await until(() => follower.hints.length > before)
    expect(follower.hints.slice(before)).toEqual([{ kind: 'dirty', paths: ['d\xff'] }])
  })

  test('directories that change places keep being watched', async () => {
    volume.makeDirectory('one/deep')
    volume.makeDirectory('two/deep')
    volume.write('one/deep/file', '1')
    volume.write('two/deep/file', '2')
    follower = await follow(volume)
    volume.rename('one', 'three')
    volume.rename('two', 'one')
    volume.rename('three', 'two')
    await expectCaughtUp()
    volume.append('one/deep/file', '!')
    volume.append('two/deep/file', '!')
    await expectCaughtUp()
  })

  test('a path may be directory, file and link in turn', async () => {
    volume.makeDirectory('p/below')
    follower = await follow(volume)
    volume.remove('p')
    volume.write('p', 'x')
    await expectCaughtUp()
    volume.remove('p')
    volume.makeLink('p', 'nowhere')
    await expectCaughtUp()
    volume.remove('p')
    volume.makeDirectory('p/below')
    await expectCaughtUp()
    volume.write('p/below/file', 'x')
    await expectCaughtUp()
  })

  test('links are hinted at and never followed', async () => {
    const outside = mkdtempSync(join(realpathSync(tmpdir()), 'synd-outside-'))
    try {
      follower = await follow(volume)
      volume.makeLink('out', outside)
      volume.makeLink('loop', '.')
      volume.write('file', 'x')
      volume.makeLink('through-a-file', 'file/x')
      volume.makeDirectory('beside/the/links')
      await expectCaughtUp()
      const watched = new Set((await inotifyWatches()).map(({ inode }) => inode))
      const { ino } = await import('node:fs').then(({ lstatSync }) =>
        lstatSync(outside, { bigint: true }),
      )
      expect(watched.has(ino.toString(16))).toBe(false)
    } finally {
      rmSync(outside, { recursive: true })
    }
  })

  test('a link whose target lies below a file hides no directory beside it', async () => {
    follower = await follow(volume)
    volume.makeDirectory('.synd/staged/deep')
    volume.write('.synd/staged/file', 'x')
    volume.makeLink('.synd/staged/a-link', 'file/x')
    volume.rename('.synd/staged', 'tree')
    await expectCaughtUp()
    volume.write('tree/deep/file', 'x')
    await expectCaughtUp()
  })

  test('the volume may be reached through a link', async () => {
    const link = `${volume.root}-link`
    symlinkSync(volume.root, link)
    try {
      const linked = diskVolume({ volume: link })
      volume.makeDirectory('d')
      follower = await follow(volume, linked.watcher)
      volume.write('d/file', 'x')
      await expectCaughtUp()
    } finally {
      rmSync(link)
    }
  })

  test('nothing of .synd is hinted at, at any depth', async () => {
    volume.makeDirectory('d/.synd/staging')
    follower = await follow(volume)
    volume.write('.synd/index', 'x')
    volume.write('d/.synd/staging/file', 'x')
    volume.makeDirectory('.synd/deep/er')
    volume.write('.synd/deep/er/file', 'x')
    volume.write('last', 'x')
    await expectCaughtUp()
    expect(JSON.stringify(follower.hints)).not.toContain('.synd')
  })

  test('an ignored directory is not watched until it is ignored no more', async () => {
    volume.dispose()
    volume = diskVolume()
    volume.makeDirectory('node_modules/deep')
    volume.makeDirectory('\xff/node_modules')
    volume.watcher.ignore((path) => path.endsWith('node_modules'))
    follower = await follow(volume)
    expect(await unwatchedDirectories(volume)).toEqual([
      'node_modules',
      '\xff/node_modules',
      'node_modules/deep',
    ])
    volume.watcher.ignore(() => false)
    await expectCaughtUp()
    volume.write('node_modules/deep/file', 'x')
    await expectCaughtUp()
  })

  test('an abort ends the iteration and leaves no watch', async () => {
    volume.makeDirectory('a/b/c')
    volume.makeDirectory('\xff/b/c')
    follower = await follow(volume)
    expect((await inotifyWatches()).length).toBeGreaterThanOrEqual(7)
    await follower.stop()
    await until(async () => (await inotifyWatches()).length === 0)
    expect(process.getActiveResourcesInfo()).not.toContain('FSEventWrap')
  })

  test('an abort while the watch is being established ends it, too', async () => {
    for (let i = 0; i < 200; i++) volume.makeDirectory(`d${i}/\xff/e`)
    const stopped = new AbortController()
    const hints: unknown[] = []
    const ended = (async () => {
      for await (const hint of volume.watcher.watch(stopped.signal)) hints.push(hint)
    })()
    await until(async () => (await inotifyWatches()).length > 10)
    stopped.abort()
    await ended
    await until(async () => (await inotifyWatches()).length === 0)
    follower = await follow(volume)
  })

  test('whoever breaks out of the loop leaves no watch either', async () => {
    for await (const hint of volume.watcher.watch(new AbortController().signal)) {
      expect(hint).toEqual({ kind: 'scan' })
      break
    }
    await until(async () => (await inotifyWatches()).length === 0)
    follower = await follow(volume)
  })
})
