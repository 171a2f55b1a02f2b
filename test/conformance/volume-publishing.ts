import { describe, expect } from 'vitest'
import { toMicroseconds, type Observation } from '../../src/core/observation.ts'
import type { Applied, Change } from '../../src/engine/ports.ts'
import type { SyndVolume } from '../../src/volume/volume.ts'
import { nastyNames } from '../support/nasty-names.ts'
import {
  demandApplied,
  directoryEntry,
  fileEntry,
  observed,
  put,
  someMtimeUs,
  staged,
  symlinkEntry,
} from '../support/volume-fixture.ts'
import { make, remove, stagedFiles, volumeTests, type Ground } from './volume-subject.ts'

/** Every change where nobody else is at work. */
export function volumePublishing(name: string, ground: () => Ground): void {
  const withVolume = volumeTests(ground)

  describe(`rule 22: publishing on ${name}`, () => {
    withVolume(
      'every legal name is published, replaced and removed',
      async ({ volume, hands, ledger }) => {
        demandApplied(await make(volume, directoryEntry('d')))
        for (const name of nastyNames) {
          const path = `d/${name}`
          const first = demandApplied(await put(volume, path, { content: 'one' }))
          const second = demandApplied(
            await put(volume, path, { content: 'two', expected: first.observation }),
          )
          expect(hands.read(path), JSON.stringify(name)).toBe('two')
          expect(second.hold).not.toBeNull()
          const gone = demandApplied(await remove(volume, path, second.observation))
          expect(hands.read(path)).toBeNull()
          await volume.releaseHolds([second.hold, gone.hold].filter((id) => id !== null))
        }
        expect(volume.heldIds()).toEqual([])
        expect(ledger.holds()).toHaveLength(nastyNames.length * 2)
        await volume.syncDirectories()
      },
    )

    withVolume(
      'what was published is exactly what the index is told',
      async ({ volume, hands }) => {
        const applied = demandApplied(await put(volume, 'f', { content: 'x', mode: 0o640 }))
        expect(applied.observation).toEqual(observed(volume, 'f'))
        expect(applied.observation).toMatchObject({ kind: 'file', mode: 0o640, sizeBytes: 1 })
        expect(applied.observation?.mtimeNs).toSatisfy(
          (ns: bigint) => ns / 1000n === BigInt(someMtimeUs),
        )
        const replaced = demandApplied(
          await put(volume, 'f', { content: 'yy', expected: applied.observation }),
        )
        expect(replaced.observation).toEqual(observed(volume, 'f'))
        expect(replaced).toMatchObject({ displaced: false })
        expect(hands.tree()).toEqual(new Map([['f', 'f 644 yy']]))
      },
    )

    withVolume(
      'a stage that was not told mode and mtime gets them when it is published',
      async ({ volume, hands }) => {
        const stage = await staged(volume, 'x')
        const entry = fileEntry('f', 'x', { mode: 0o4555, mtimeUs: -1_500_000 })
        const applied = demandApplied(
          await volume.apply({ kind: 'publish', entry, stage, expected: null }),
        )
        expect(applied.observation).toEqual(observed(volume, 'f'))
        expect(hands.tree()).toEqual(new Map([['f', 'f 555 x']]))
        expect(toMicroseconds(applied.observation?.mtimeNs ?? 0n)).toBe(-1_500_000)
      },
    )

    withVolume(
      'nothing is published over what the index does not know',
      async ({ volume, hands }) => {
        hands.write('f', 'mine')
        hands.symlink('mine', 'l')
        hands.mkdir('d')
        hands.mkdir('full')
        hands.write('full/mine', 'mine')
        const before = hands.tree()
        const f = observed(volume, 'f')
        hands.chmod('f', 0o600)
        hands.chmod('f', 0o644)
        for (const path of ['f', 'l', 'd', 'full']) {
          for (const expected of [null, f]) {
            expect(await put(volume, path, { content: 'theirs', expected })).toEqual({
              kind: 'changed',
            })
            expect(await make(volume, symlinkEntry(path, 'theirs'), expected)).toEqual({
              kind: 'changed',
            })
            expect(await make(volume, directoryEntry(path), expected)).toEqual({ kind: 'changed' })
          }
          expect(await remove(volume, path, f)).toEqual({ kind: 'changed' })
        }
        expect(await put(volume, 'nothing', { content: 'theirs', expected: f })).toEqual({
          kind: 'changed',
        })
        expect(await put(volume, 'nothing/below', { content: 'theirs' })).toEqual({
          kind: 'changed',
        })
        expect(await put(volume, 'f/below', { content: 'theirs' })).toEqual({ kind: 'changed' })
        expect(await put(volume, 'l/below', { content: 'theirs' })).toEqual({ kind: 'changed' })
        expect(await remove(volume, 'nothing', f)).toEqual({ kind: 'changed' })
        expect(hands.tree()).toEqual(before)
        expect(stagedFiles(hands)).toEqual([])
      },
    )

    const kinds = ['file', 'directory', 'symlink'] as const
    for (const from of kinds) {
      for (const to of kinds) {
        withVolume(`a ${from} becomes a ${to} at one path`, async ({ volume, hands }) => {
          const make1 = demandApplied(await bring(volume, from, { text: 'old', expected: null }))
          const make2 = demandApplied(
            await bring(volume, to, { text: 'new', expected: make1.observation }),
          )
          expect(make2.observation).toEqual(observed(volume, 'p'))
          expect(make2.displaced).toBe(false)
          const shown = { file: 'f 644 new', directory: 'd 755', symlink: 'l new' }[to]
          expect(hands.tree()).toEqual(new Map([['p', shown]]))
          expect(stagedFiles(hands)).toEqual([])
          if (make2.hold !== null) await volume.releaseHolds([make2.hold])
          expect(volume.heldIds()).toEqual([])
        })
      }
    }

    withVolume(
      'a directory with something left in it is neither removed nor replaced',
      async ({ volume, hands }) => {
        const made = demandApplied(await make(volume, directoryEntry('d')))
        hands.write('d/left', 'mine')
        expect(await remove(volume, 'd', made.observation)).toEqual({ kind: 'not-empty' })
        expect(await put(volume, 'd', { content: 'x', expected: made.observation })).toEqual({
          kind: 'not-empty',
        })
        expect(await make(volume, symlinkEntry('d', 'x'), made.observation)).toEqual({
          kind: 'not-empty',
        })
        expect(hands.read('d/left')).toBe('mine')
        hands.remove('d/left')
        expect(demandApplied(await remove(volume, 'd', made.observation)).observation).toBeNull()
        expect(hands.tree().size).toBe(0)
      },
    )

    withVolume(
      'modes and mtimes are set on what is there, and set-id bits stay on directories only',
      async ({ volume, hands }) => {
        hands.write('f', 'x')
        hands.mkdir('d')
        hands.symlink('x', 'l')
        hands.chmod('d', 0o3755)
        hands.chmod('f', 0o4755)
        const on = async (change: Change & { kind: 'set-metadata' }): Promise<Observation> => {
          const { observation } = demandApplied(await volume.apply(change))
          expect(observation).toEqual(observed(volume, change.entry.path))
          if (observation === null) throw new Error('no observation')
          return observation
        }
        const entryOf = fileEntry('f', 'x', { mode: 0o640 })
        const f = await on({
          kind: 'set-metadata',
          entry: entryOf,
          expected: observed(volume, 'f'),
        })
        expect(f).toMatchObject({ mode: 0o640 })
        expect(f.mtimeNs / 1000n).toBe(BigInt(someMtimeUs))
        const d = await on({
          kind: 'set-metadata',
          entry: directoryEntry('d', 0o7700),
          expected: observed(volume, 'd'),
        })
        expect(d.mode).toBe(0o3700)
        const l = await on({
          kind: 'set-metadata',
          entry: symlinkEntry('l', 'x'),
          expected: observed(volume, 'l'),
        })
        expect(l.mtimeNs / 1000n).toBe(BigInt(someMtimeUs))
        hands.append('f', 'y')
        expect(
          await volume.apply({ kind: 'set-metadata', entry: fileEntry('f', 'x'), expected: f }),
        ).toEqual({ kind: 'changed' })
        expect(hands.tree().get('f')).toBe('f 640 xy')
        await volume.syncDirectories()
      },
    )

    withVolume(
      'rule 13: a directory made in a set-gid directory keeps the bit',
      async ({ volume, hands }) => {
        hands.mkdir('d')
        hands.chmod('d', 0o2755)
        const made = demandApplied(await make(volume, directoryEntry('d/e', 0o700)))
        expect(made.observation?.mode).toBe(0o2700)
        expect(hands.tree().get('d/e')).toBe('d 2700')
      },
    )
  })
}

async function bring(
  volume: SyndVolume,
  kind: 'file' | 'directory' | 'symlink',
  { text, expected }: { text: string; expected: Observation | null },
): Promise<Applied> {
  if (kind === 'file') return put(volume, 'p', { content: text, expected })
  const entry = kind === 'directory' ? directoryEntry('p') : symlinkEntry('p', text)
  return make(volume, entry, expected)
}
