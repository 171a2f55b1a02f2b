import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chownSync, cpSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { afterEach, describe, expect, test } from 'vitest'

import type { WatchHint } from '../../src/engine/ports.ts'
import {
  inotifyQueueLimit,
  inotifyWatches,
  inotifyWatchLimit,
} from '../../src/volume/inotify-limits.ts'
import { hintQueue } from '../../src/volume/watch-hints.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import {
  diskVolume,
  follow,
  scansIn,
  unwatchedDirectories,
  until,
  type DiskVolume,
  type Follower,
} from './watch-fixture.ts'

const open: { volume?: DiskVolume; follower?: Follower; child?: ChildProcess } = {}

afterEach(async () => {
  open.child?.kill('SIGKILL')
  await open.follower?.stop()
  open.volume?.dispose()
  delete open.child
  delete open.follower
  delete open.volume
})

describe('hints', () => {
  test('leave within the turns of the loop that bring the event, with each path once', async () => {
    const volume = (open.volume = diskVolume())
    volume.makeDirectory('d')
    const follower = (open.follower = await follow(volume))
    const before = follower.hints.length
    for (let i = 0; i < 100; i++) volume.write(`d/${i % 50}`, 'x')
    let turns = 0
    while (follower.hints.length === before) {
      await new Promise((resolve) => setImmediate(resolve))
      turns++
    }
    // One to read the events, one for the test's own turn to come round.
    expect(turns).toBeLessThanOrEqual(3)
    expect(follower.hints.length).toBe(before + 1)
    const paths = Array.from({ length: 50 }, (_, i) => `d/${i}`)
    expect(follower.hints.at(-1)).toEqual({ kind: 'dirty', paths: ['d', ...paths] })
  })

  test('wait for the end of the turn, also where they are asked for in its midst', async () => {
    const hints = hintQueue(new AbortController().signal)
    hints.scan()
    await hints.next()
    hints.dirty(parseRelativePath('a'))
    const next = hints.next()
    await Promise.resolve()
    hints.dirty(parseRelativePath('b'))
    expect(await next).toEqual([{ kind: 'dirty', paths: ['a', 'b'] }])
  })

  test('become a scan when nobody takes them and they are too many to keep', async () => {
    const stopped = new AbortController()
    const hints = hintQueue(stopped.signal)
    hints.scan()
    await hints.next()
    for (let i = 0; i < 250_000; i++) hints.dirty(parseRelativePath(`${i}`))
    const kinds = (await hints.next()).map((hint) =>
      hint.kind === 'dirty' ? hint.paths.length : hint.kind,
    )
    expect(kinds).toEqual(['scan', 49_998])
  })
})

describe('an overflow', () => {
  test('is told when one turn brings a quarter of what the kernel queues', async () => {
    const volume = (open.volume = diskVolume({ queueLimit: 200 }))
    const follower = (open.follower = await follow(volume))
    for (let i = 0; i < 10; i++) volume.write(`${i}`, 'x')
    await follower.caughtUp()
    expect(follower.hints.filter(({ kind }) => kind === 'overflow')).toEqual([])
    for (let i = 0; i < 50; i++) volume.write(`more${i}`, 'x')
    await until(() => follower.hints.some(({ kind }) => kind === 'overflow'))
  })

  test('of the real queue loses nothing for good, not even the watches of directories that nobody heard of', async () => {
    const volume = (open.volume = diskVolume())
    volume.makeDirectory('replaced/deep')
    const follower = (open.follower = await follow(volume))
    volume.write('a', 'x')
    volume.write('b', 'x')
    // Two files, as the kernel joins equal events; what comes after the queue is full is lost.
    for (let i = 0; i < inotifyQueueLimit(); i++)
      volume.setMode(i % 2 === 0 ? 'a' : 'b', i % 4 < 2 ? 0o600 : 0o644)
    volume.remove('replaced')
    volume.makeDirectory('replaced/deep')
    for (let i = 0; i < 40; i++) volume.makeDirectory(`d${i}/e`)
    await follower.caughtUp()
    await until(async () => (await unwatchedDirectories(volume)).length === 0)
    volume.write('d39/e/file', 'x')
    volume.write('replaced/deep/file', 'x')
    await follower.caughtUp()
  })

  test('is assumed when the loop stood still', async () => {
    const volume = (open.volume = diskVolume({ stallMs: 100 }))
    const follower = (open.follower = await follow(volume))
    // Longer than the beat that tells it, and the stall itself.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700)
    await until(() => follower.hints.some(({ kind }) => kind === 'overflow'))
  })
})

describe('without inotify', () => {
  test('polling asks for a scan again and again, and holds no watch', async () => {
    const volume = (open.volume = diskVolume({ mode: 'polling', pollIntervalMs: 5 }))
    const follower = (open.follower = await follow(volume))
    await until(() => scansIn(follower.hints) > 3)
    expect(follower.hints.every(({ kind }) => kind === 'scan')).toBe(true)
    expect(await inotifyWatches()).toEqual([])
  })

  test('auto polls, says why, and watches once events come', async () => {
    let isSilent = true
    const volume = (open.volume = diskVolume({
      mode: 'auto',
      pollIntervalMs: 5,
      retryIntervalMs: 20,
      examine: async () => (isSilent ? { kind: 'silent', reason: 'told so' } : null),
    }))
    const follower = (open.follower = await follow(volume))
    await until(() => scansIn(follower.hints) > 10)
    expect(reasons(follower.hints)).toEqual(['told so'])
    expect(await inotifyWatches()).toEqual([])
    isSilent = false
    await until(() => reasons(follower.hints).length === 2)
    expect(reasons(follower.hints)).toEqual(['told so', null])
    const scans = scansIn(follower.hints)
    volume.write('file', 'x')
    await follower.caughtUp()
    expect(scansIn(follower.hints)).toBe(scans)
  })

  test('on a file system that others write to, auto watches and scans, chokidar only watches', async () => {
    const remote = async () => ({ kind: 'remote', reason: 'NFS' }) as const
    for (const mode of ['auto', 'chokidar'] as const) {
      const volume = diskVolume({ mode, pollIntervalMs: 5, examine: remote })
      const follower = await follow(volume)
      volume.makeDirectory('d')
      await until(async () => (await unwatchedDirectories(volume)).length === 0)
      if (mode === 'auto') await until(() => scansIn(follower.hints) > 3)
      await until(() => reasons(follower.hints)[0] === 'NFS')
      if (mode === 'chokidar') expect(scansIn(follower.hints)).toBe(1)
      await follower.stop()
      volume.dispose()
    }
  })

  test('the probe leaves nothing behind', async () => {
    const volume = (open.volume = diskVolume({ mode: 'auto' }))
    open.follower = await follow(volume)
    expect(readdirSync(`${volume.root}/.synd`)).toEqual([])
  })

  test('the probe does without a directory to write to', async () => {
    const volume = (open.volume = diskVolume({ mode: 'auto' }))
    volume.remove('.synd')
    const follower = (open.follower = await follow(volume))
    volume.write('file', 'x')
    await follower.caughtUp()
    expect(reasons(follower.hints)).toEqual([])
  })
})

test('a volume that goes away is told, and watched again when it, or another one, is there', async () => {
  const volume = (open.volume = diskVolume({
    checkDelayMs: 10,
    retryIntervalMs: 10,
    pollIntervalMs: 10,
  }))
  volume.makeDirectory('d/e')
  const follower = (open.follower = await follow(volume))
  const away = `${volume.root}-away`
  for (const comeBack of [
    () => renameSync(away, volume.root),
    () => cpSync(away, volume.root, { recursive: true }),
  ]) {
    const told = reasons(follower.hints).length
    renameSync(volume.root, away)
    await until(() => reasons(follower.hints).length > told)
    expect(reasons(follower.hints).at(-1)).toBe('the volume is not there')
    comeBack()
    await until(() => reasons(follower.hints).at(-1) === null)
    await until(async () => (await unwatchedDirectories(volume)).length === 0)
    const scans = scansIn(follower.hints)
    volume.write(`d/e/file${told}`, 'x')
    await follower.caughtUp()
    expect(scansIn(follower.hints)).toBe(scans)
  }
  rmSync(away, { recursive: true })
})

test('what chokidar reads of the environment changes nothing', async () => {
  process.env['CHOKIDAR_USEPOLLING'] = '1'
  process.env['CHOKIDAR_INTERVAL'] = 'nonsense'
  try {
    const volume = (open.volume = diskVolume({ environment: process.env }))
    volume.makeDirectory('d')
    open.follower = await follow(volume)
    expect(await unwatchedDirectories(volume)).toEqual([])
    expect(process.env['CHOKIDAR_USEPOLLING']).toBe('1')
    expect(process.env['CHOKIDAR_INTERVAL']).toBe('nonsense')
  } finally {
    delete process.env['CHOKIDAR_USEPOLLING']
    delete process.env['CHOKIDAR_INTERVAL']
  }
})

test.skipIf(process.getuid?.() !== 0)('a directory that becomes readable is watched', async () => {
  const volume = (open.volume = diskVolume({ checkDelayMs: 3_600_000 }))
  volume.makeDirectory('closed/below')
  for (const path of ['', 'closed', 'closed/below'])
    chownSync(volume.absolute(path), nobody, nobody)
  volume.setMode('closed', 0o000)
  process.seteuid?.(nobody)
  try {
    const follower = (open.follower = await follow(volume))
    await until(() => follower.known.has('closed'))
    expect(await unwatchedDirectories(volume)).toEqual(['closed'])
    volume.setMode('closed', 0o755)
    await follower.caughtUp()
    await until(async () => (await unwatchedDirectories(volume)).length === 0)
    volume.write('closed/file', 'x')
    volume.write('closed/below/file', 'x')
    await follower.caughtUp()
    expect(reasons(follower.hints)).toEqual([])
  } finally {
    process.seteuid?.(0)
  }
})

const nobody = 65_534

describe.skipIf(!hasNamespaces())('in a user namespace with limits of its own', () => {
  test('a limit on watches is told, scanned around, and forgotten when it is lifted', async () => {
    const volume = (open.volume = diskVolume())
    for (let i = 0; i < 40; i++) volume.makeDirectory(`d${i}/e`)
    const { lines, child } = startLimited(volume, { watches: 50, instances: 128 })
    await until(() => lines.some(({ hint }) => hint.kind === 'degraded'))
    expect(lines[0]?.hint).toEqual({ kind: 'scan' })
    expect(reasons(hintsOf(lines))).toEqual([
      'out of inotify watches: raise fs.inotify.max_user_watches (directories without a watch: 31)',
    ])
    expect(lines.at(-1)).toMatchObject({ count: 50, limit: 50 })
    const scans = scansIn(hintsOf(lines))
    await until(() => scansIn(hintsOf(lines)) > scans + 2)
    child.stdin?.write('1000 128\n')
    await until(() => reasons(hintsOf(lines)).at(-1) === null)
    const before = lines.length
    volume.write('d39/e/file', 'x')
    volume.write('d0/e/file', 'x')
    await until(() => {
      const paths = hintsOf(lines.slice(before)).flatMap((hint) =>
        hint.kind === 'dirty' ? hint.paths : [],
      )
      return ['d39/e/file', 'd0/e/file'].every((path) => paths.some((each) => each === path))
    })
    expect(lines.at(-1)).toMatchObject({ count: 81, limit: 1000 })
  })

  test('without an inotify instance it scans, and watches when there is one', async () => {
    const volume = (open.volume = diskVolume())
    volume.makeDirectory('d')
    const { lines, child } = startLimited(volume, { watches: 1000, instances: 0 })
    await until(() => scansIn(hintsOf(lines)) > 3)
    expect(reasons(hintsOf(lines))).toEqual([
      'out of inotify instances or open files: raise fs.inotify.max_user_instances or the limit on open files',
    ])
    child.stdin?.write('1000 10\n')
    await until(() => reasons(hintsOf(lines)).at(-1) === null)
    volume.write('d/file', 'x')
    await until(() =>
      hintsOf(lines).some(
        (hint) => hint.kind === 'dirty' && hint.paths.some((each) => each === 'd/file'),
      ),
    )
  })
})

test('the limit on watches is known', () => {
  expect(inotifyWatchLimit()).toBeGreaterThan(0)
})

interface Line {
  readonly hint: WatchHint
  readonly count: number
  readonly limit: number
}

function startLimited(volume: DiskVolume, limits: { watches: number; instances: number }) {
  const program = fileURLToPath(new URL('watch-namespace-child.ts', import.meta.url))
  const numbers = [`${limits.watches}`, `${limits.instances}`]
  const command = [process.execPath, program, volume.root, ...numbers]
  const child = (open.child = spawn('unshare', ['-Ur', ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
  }))
  const lines: Line[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)))
  return { lines, child }
}

function hasNamespaces(): boolean {
  const probe = 'echo 50 > /proc/sys/user/max_inotify_watches'
  return spawnSync('unshare', ['-Ur', 'sh', '-c', probe]).status === 0
}

function hintsOf(lines: readonly Line[]): WatchHint[] {
  return lines.map(({ hint }) => hint)
}

function reasons(hints: readonly WatchHint[]): (string | null)[] {
  return hints.flatMap((hint) => (hint.kind === 'degraded' ? [hint.reason] : []))
}
