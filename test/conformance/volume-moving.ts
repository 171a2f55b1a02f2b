import { describe, expect } from 'vitest'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import type { Applied } from '../../src/engine/ports.ts'
import type { SyndVolume } from '../../src/volume/volume.ts'
import { nastyNames } from '../support/nasty-names.ts'
import {
  demandApplied,
  digestOfText,
  directoryEntry,
  fileEntry,
  observed,
  put,
} from '../support/volume-fixture.ts'
import { make, stagedFiles, volumeTests, type Ground } from './volume-subject.ts'

const content = 'content'

/** Puts a file at `from`, which is then moved by the other volume. */
async function placed(volume: SyndVolume, from: string) {
  const { observation } = demandApplied(await put(volume, from, { content }))
  if (observation === null) throw new Error('nothing was put')
  return { path: parseRelativePath(from), expected: observation }
}

function moved(
  volume: SyndVolume,
  from: Awaited<ReturnType<typeof placed>>,
  to: string,
): Promise<Applied> {
  return volume.apply({ kind: 'move', entry: fileEntry(to, content), from })
}

/** A file that is to go gets the name under which its content is wanted. */
export function volumeMoving(name: string, ground: () => Ground): void {
  const withVolume = volumeTests(ground)

  describe(`rule 22: moving on ${name}`, () => {
    withVolume('gives the same file another name, whatever that is', async (under) => {
      const { volume, hands, ledger } = under
      demandApplied(await make(volume, directoryEntry('d')))
      for (const [n, name] of nastyNames.entries()) {
        const from = await placed(volume, `${n}`)
        const applied = demandApplied(await moved(volume, from, `d/${name}`))
        const now = observed(volume, `d/${name}`)
        expect(applied.observation, JSON.stringify(name)).toEqual(now)
        expect(now).toMatchObject({ inode: from.expected.inode, mtimeNs: from.expected.mtimeNs })
        expect(hands.read(`d/${name}`)).toBe(content)
        expect(hands.read(`${n}`)).toBeNull()
        expect(ledger.holds().at(-1)?.id).toBe(applied.hold)
      }
      expect([volume.heldIds(), stagedFiles(hands)]).toEqual([[], []])
      await volume.syncDirectories()
    })

    withVolume('takes no name that something has', async ({ volume, hands, interfered }) => {
      const from = await placed(volume, 'f')
      hands.write('g', 'theirs')
      expect(await moved(volume, from, 'g')).toEqual({ kind: 'changed' })
      const busy = await interfered((operation, _path, to) => {
        if (operation === 'link' && to === 'h') hands.write('h', 'theirs too')
      })
      const again = { ...from, expected: observed(volume, 'f') }
      expect(await moved(busy, again, 'h')).toEqual({ kind: 'changed' })
      expect(['f', 'g', 'h'].map((at) => hands.read(at))).toEqual([content, 'theirs', 'theirs too'])
      expect([busy.heldIds(), stagedFiles(hands)]).toEqual([[], []])
    })

    withVolume('does nothing to what is not as the index says', async (under) => {
      const { volume, hands, interfered } = under
      const from = await placed(volume, 'f')
      const busy = await interfered((operation, path) => {
        if (operation === 'link' && path === 'f') hands.replace('f', 'other')
      })
      expect(await moved(busy, from, 'g')).toEqual({ kind: 'changed' })
      expect(await moved(volume, from, 'g')).toEqual({ kind: 'changed' })
      expect([hands.read('f'), hands.read('g')]).toEqual(['other', null])
      expect([volume.heldIds(), stagedFiles(hands)]).toEqual([[], []])
    })

    withVolume('leaves what came to the old name meanwhile', async (under) => {
      const { volume, hands, interfered } = under
      const from = await placed(volume, 'f')
      const busy = await interfered((operation, path, to) => {
        if (operation === 'rename' && path === 'f' && to?.startsWith('.synd/hold/') === true)
          hands.replace('f', 'other')
      })
      const applied = demandApplied(await moved(busy, from, 'g'))
      expect(applied).toEqual({
        kind: 'applied',
        observation: observed(volume, 'g'),
        hold: null,
        displaced: false,
      })
      expect([hands.read('f'), hands.read('g')]).toEqual(['other', content])
      expect([busy.heldIds(), stagedFiles(hands)]).toEqual([[], []])
    })

    withVolume('keeps both of two that came to the old name meanwhile', async (under) => {
      const { volume, hands, interfered } = under
      const from = await placed(volume, 'f')
      const busy = await interfered((operation, path, to) => {
        if (operation === 'rename' && path === 'f') hands.replace('f', 'first')
        if (operation === 'link' && to === 'f') hands.write('f', 'second')
      })
      const applied = demandApplied(await moved(busy, from, 'g'))
      expect(applied).toMatchObject({ displaced: true })
      expect([hands.read('f'), hands.read('g')]).toEqual(['second', content])
      const held = await busy.stageFromHold(applied.hold ?? '')
      expect(held).toMatchObject({ digest: digestOfText('first') })
    })

    withVolume('an edit meanwhile has the new name, and the next look finds it', async (under) => {
      const { volume, hands, interfered } = under
      const from = await placed(volume, 'f')
      const busy = await interfered((operation, _path, to) => {
        if (operation === 'link' && to === 'g') hands.append('f', ' edit')
      })
      const applied = demandApplied(await moved(busy, from, 'g'))
      expect([hands.read('f'), hands.read('g')]).toEqual([null, `${content} edit`])
      expect(applied.observation).not.toEqual(observed(volume, 'g'))
      expect(applied.observation?.sizeBytes).toBe(content.length)
    })
  })
}
