import { describe, expect } from 'vitest'
import type { Hands } from '../support/hands.ts'
import {
  demandApplied,
  digestOfText,
  directoryEntry,
  fileEntry,
  observed,
  put,
  someMtimeUs,
} from '../support/volume-fixture.ts'
import { make, remove, volumeTests, type Ground } from './volume-subject.ts'

/** Every change while somebody else works on the same path. */
export function volumeInterference(name: string, ground: () => Ground): void {
  const withVolume = volumeTests(ground)

  describe(`rule 22: somebody else at work on ${name}`, () => {
    withVolume(
      'an edit before the hold is seen and nothing is done',
      async ({ volume, hands, interfered, ledger }) => {
        const { observation } = demandApplied(await put(volume, 'f', { content: 'old' }))
        const busy = await interfered((operation, path, to) => {
          if (operation === 'link' && path === 'f' && to?.startsWith('.synd/hold/') === true)
            hands.append('f', ' edit')
        })
        expect(await put(busy, 'f', { content: 'new', expected: observation })).toEqual({
          kind: 'changed',
        })
        expect(hands.read('f')).toBe('old edit')
        expect(busy.heldIds()).toEqual([])
        expect(ledger.holds()).toHaveLength(1)
      },
    )

    withVolume(
      'another file in its place before the hold is seen and nothing is done',
      async ({ volume, hands, interfered }) => {
        const { observation } = demandApplied(await put(volume, 'f', { content: 'old' }))
        const busy = await interfered((operation, path, to) => {
          if (operation === 'link' && path === 'f' && to?.startsWith('.synd/hold/') === true)
            hands.replace('f', 'other')
        })
        expect(await put(busy, 'f', { content: 'new', expected: observation })).toEqual({
          kind: 'changed',
        })
        expect(hands.read('f')).toBe('other')
        expect(busy.heldIds()).toEqual([])
      },
    )

    withVolume(
      'an edit after the last look is displaced, and the hold has its bytes',
      async ({ volume, hands, interfered }) => {
        const { observation } = demandApplied(await put(volume, 'f', { content: 'old' }))
        const busy = await interfered((operation, _path, to) => {
          if (operation === 'rename' && to === 'f') hands.append('f', ' edit')
        })
        const applied = demandApplied(
          await put(busy, 'f', { content: 'new', expected: observation }),
        )
        expect(applied).toMatchObject({ displaced: true })
        expect(hands.read('f')).toBe('new')
        const held = await busy.stageFromHold(applied.hold ?? '')
        expect(held).toMatchObject({ digest: digestOfText('old edit'), sizeBytes: 8 })
        if (held === null) throw new Error('nothing held')
        demandApplied(
          await busy.apply({
            kind: 'publish',
            entry: fileEntry('copy', 'old edit'),
            stage: held.stage,
            expected: null,
          }),
        )
        expect(hands.read('copy')).toBe('old edit')
      },
    )

    withVolume(
      'who still writes into the replaced file shows in a look at the hold',
      async ({ volume, hands, interfered, ledger }) => {
        const { observation } = demandApplied(await put(volume, 'f', { content: 'old' }))
        hands.link('f', 'open')
        const known = observed(volume, 'f')
        const applied = demandApplied(await put(volume, 'f', { content: 'new', expected: known }))
        expect(applied.displaced).toBe(false)
        const look = volume.lookHold(applied.hold ?? '')
        expect(look).toMatchObject({
          kind: 'present',
          observation: { sizeBytes: 3, mtimeNs: observation?.mtimeNs },
        })
        hands.append('open', ' more')
        expect(volume.lookHold(applied.hold ?? '')).toMatchObject({ observation: { sizeBytes: 8 } })
        expect(ledger.holds()).toMatchObject([{ id: applied.hold, path: 'f', expected: known }])
        await interfered(() => undefined)
      },
    )

    withVolume(
      'an edit of the new file before it is read back is not taken for ours',
      async ({ volume, hands, interfered }) => {
        let isPlaced = false
        const busy = await interfered((operation, path) => {
          if (operation === 'unlink' && path.startsWith('.synd/staging/')) isPlaced = true
          if (isPlaced && operation === 'lstat' && path === 'f') {
            isPlaced = false
            hands.append('f', ' edit')
          }
        })
        const applied = demandApplied(await put(busy, 'f', { content: 'new' }))
        expect(hands.read('f')).toBe('new edit')
        expect(applied.observation?.sizeBytes).toBe(3)
        expect(applied.observation).not.toEqual(observed(volume, 'f'))
      },
    )

    withVolume('a file that was edited is not removed', async ({ volume, hands, interfered }) => {
      const { observation } = demandApplied(await put(volume, 'f', { content: 'old' }))
      const busy = await interfered((operation, path, to) => {
        if (operation === 'rename' && path === 'f' && to?.startsWith('.synd/hold/') === true)
          hands.append('f', ' edit')
      })
      expect(await remove(busy, 'f', observation)).toEqual({ kind: 'changed' })
      expect(hands.read('f')).toBe('old edit')
      expect(busy.heldIds()).toEqual([])
    })

    withVolume(
      'a file that was replaced is not removed, of whatever kind the other thing is',
      async ({ volume, hands, interfered }) => {
        const replacements: ((hands: Hands) => void)[] = [
          (hands) => hands.replace('f', 'other'),
          (hands) => {
            hands.remove('f')
            hands.symlink('other', 'f')
          },
          (hands) => {
            hands.remove('f')
            hands.mkdir('f')
            hands.write('f/inside', 'other')
          },
        ]
        for (const replace of replacements) {
          hands.remove('f')
          const { observation } = demandApplied(await put(volume, 'f', { content: 'old' }))
          let after: ReadonlyMap<string, string> = new Map()
          const busy = await interfered((operation, path, to) => {
            if (operation !== 'rename' || path !== 'f' || to?.startsWith('.synd/hold/') !== true)
              return
            replace(hands)
            after = hands.tree()
          })
          expect(await remove(busy, 'f', observation)).toEqual({ kind: 'changed' })
          expect(hands.tree()).toEqual(after)
          expect(busy.heldIds()).toEqual([])
        }
      },
    )

    withVolume(
      'edited, removed and made anew: both are kept',
      async ({ volume, hands, interfered }) => {
        const { observation } = demandApplied(await put(volume, 'f', { content: 'old' }))
        const busy = await interfered((operation, path, to) => {
          if (operation === 'rename' && path === 'f') hands.append('f', ' edit')
          if (operation === 'link' && to === 'f') hands.write('f', 'anew')
        })
        const applied = demandApplied(await remove(busy, 'f', observation))
        expect(applied).toMatchObject({ observation: null, displaced: true })
        expect(hands.read('f')).toBe('anew')
        expect(await busy.stageFromHold(applied.hold ?? '')).toMatchObject({
          digest: digestOfText('old edit'),
        })
      },
    )

    withVolume(
      'a name that somebody takes while a file becomes a directory stays theirs',
      async ({ volume, hands, interfered }) => {
        const { observation } = demandApplied(await put(volume, 'f', { content: 'old' }))
        const busy = await interfered((operation, path) => {
          if (operation === 'mkdir' && path === 'f') hands.write('f', 'theirs')
        })
        expect(await make(busy, directoryEntry('f'), observation)).toEqual({ kind: 'changed' })
        expect(hands.read('f')).toBe('theirs')
        expect(busy.heldIds()).toEqual([])
      },
    )

    withVolume(
      'bytes written while metadata is set are not hidden',
      async ({ volume, hands, interfered }) => {
        const { observation } = demandApplied(await put(volume, 'f', { content: 'old' }))
        if (observation === null) throw new Error('nothing')
        let isSet = false
        const busy = await interfered((operation, path) => {
          if (operation === 'setMtime' && path === 'f') isSet = true
          if (isSet && operation === 'lstat' && path === 'f') hands.write('f', 'new')
        })
        const entry = fileEntry('f', 'old', { mtimeUs: someMtimeUs + 5 })
        expect(await busy.apply({ kind: 'set-metadata', entry, expected: observation })).toEqual({
          kind: 'changed',
        })
      },
    )
  })
}
