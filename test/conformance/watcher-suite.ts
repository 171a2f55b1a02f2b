import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { ancestorsOf, parentOf, parseRelativePath } from '../../src/core/relative-path.ts'
import type { Watcher, WatchHint } from '../../src/engine/ports.ts'

/** A volume that something else than Synd changes, and its watcher. Paths are latin1. */
export interface WatchedVolume {
  readonly watcher: Watcher
  write(path: string, text: string): void
  append(path: string, text: string): void
  makeDirectory(path: string): void
  makeLink(path: string, target: string): void
  setMode(path: string, mode: number): void
  rename(from: string, to: string): void
  remove(path: string): void
  dispose(): void
}

/** What every Watcher does (src/engine/ports.ts). */
export function watcherSuite(name: string, makeVolume: () => WatchedVolume): void {
  describe(`Watcher: ${name}`, () => {
    let volume: WatchedVolume
    let watching: Watching

    beforeEach(async () => {
      volume = makeVolume()
      volume.makeDirectory('old')
      volume.makeDirectory('old/below')
      volume.write('old/file', 'before')
      volume.write('file', 'before')
      watching = startWatching(volume.watcher)
      await watching.established
    })
    afterEach(async () => {
      await watching.stop()
      volume.dispose()
    })

    test('the first hint asks for a scan, so that what happened before is found', () => {
      expect(watching.hints[0]).toEqual({ kind: 'scan' })
    })

    const changes: Record<string, { change: () => void; paths: readonly string[] }> = {
      'a new file': { change: () => volume.write('new', 'x'), paths: ['new'] },
      'a new file in a directory': {
        change: () => volume.write('old/new', 'x'),
        paths: ['old/new'],
      },
      'a file written anew': { change: () => volume.write('file', 'after'), paths: ['file'] },
      'a file appended to': { change: () => volume.append('old/file', '!'), paths: ['old/file'] },
      'a file renamed': {
        change: () => volume.rename('file', 'old/renamed'),
        paths: ['file', 'old/renamed'],
      },
      'a file removed': { change: () => volume.remove('old/file'), paths: ['old/file'] },
      'a mode changed': { change: () => volume.setMode('file', 0o600), paths: ['file'] },
      'the mode of a directory': { change: () => volume.setMode('old', 0o700), paths: ['old'] },
      'a new directory': { change: () => volume.makeDirectory('fresh'), paths: ['fresh'] },
      'a directory renamed': {
        change: () => volume.rename('old', 'moved'),
        paths: ['old', 'moved', 'moved/file'],
      },
      'a directory removed': {
        change: () => volume.remove('old'),
        paths: ['old', 'old/file', 'old/below'],
      },
      'a symlink that leads nowhere': {
        change: () => volume.makeLink('link', 'no/where'),
        paths: ['link'],
      },
      'a name that is not UTF-8': {
        change: () => volume.write('\xff\xfe', 'x'),
        paths: ['\xff\xfe'],
      },
    }
    for (const [what, { change, paths }] of Object.entries(changes)) {
      test(`${what} is hinted at`, async () => {
        change()
        for (const path of paths) await watching.hinted(path)
      })
    }

    test('what happens in a directory that has just been made is hinted at', async () => {
      volume.makeDirectory('deep')
      volume.makeDirectory('deep/er')
      volume.write('deep/er/first', 'x')
      await watching.hinted('deep/er/first')
      await expect
        .poll(async () => {
          const before = watching.hints.length
          volume.append('deep/er/first', 'y')
          await watching.moreThan(before)
          return watching.hints.slice(before).some((hint) => covers(hint, 'deep/er/first'))
        })
        .toBe(true)
    })

    test('it ends when the signal aborts and can be started again', async () => {
      await watching.stop()
      volume.write('while-nobody-looked', 'x')
      watching = startWatching(volume.watcher)
      await watching.established
      volume.write('later', 'x')
      await watching.hinted('later')
    })

    test('with a signal that is aborted already it ends at once', async () => {
      const hints: WatchHint[] = []
      for await (const hint of volume.watcher.watch(AbortSignal.abort())) hints.push(hint)
      expect(hints).toEqual([])
    })
  })
}

interface Watching {
  readonly hints: readonly WatchHint[]
  /** Resolves with the first hint. */
  readonly established: Promise<void>
  /** Resolves once a hint after the first leads to the path. */
  hinted(path: string): Promise<void>
  moreThan(count: number): Promise<void>
  stop(): Promise<void>
}

function startWatching(watcher: Watcher): Watching {
  const hints: WatchHint[] = []
  const stopped = new AbortController()
  const ended = (async () => {
    for await (const hint of watcher.watch(stopped.signal)) hints.push(hint)
  })()
  const moreThan = (count: number) =>
    expect.poll(() => hints.length, { timeout: 20_000, interval: 1 }).toBeGreaterThan(count)
  return {
    hints,
    established: moreThan(0),
    async hinted(path) {
      const isHinted = () => hints.slice(1).some((hint) => covers(hint, path))
      await expect.poll(isHinted, { timeout: 20_000, interval: 1 }).toBe(true)
    },
    moreThan,
    async stop() {
      stopped.abort()
      await ended
    },
  }
}

/** Whether who follows the hint looks at the path: a directory that is new to it is looked at with all below. */
function covers(hint: WatchHint, path: string): boolean {
  const relative = parseRelativePath(path)
  const above = ancestorsOf(relative)
  if (hint.kind === 'dirty') return [relative, ...above].some((each) => hint.paths.includes(each))
  if (hint.kind === 'list')
    return [parentOf(relative), ...above].some((each) => each === hint.directory)
  return hint.kind === 'scan' || hint.kind === 'overflow'
}
