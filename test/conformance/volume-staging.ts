import { describe, expect } from 'vitest'
import { errorCode } from '../../src/core/errors.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { demandApplied, digestOfText, fileEntry, put, staged } from '../support/volume-fixture.ts'
import { stagedFiles, volumeTests, type Ground } from './volume-subject.ts'

/** Receiving files and copying local ones. */
export function volumeStaging(name: string, ground: () => Ground): void {
  const withVolume = volumeTests(ground)

  describe(`rule 22: staging on ${name}`, () => {
    withVolume(
      'files of every size arrive whole, in chunks of any size',
      async ({ volume, hands }) => {
        for (const size of [0, 1, 4096, 262_143, 262_144, 262_145, 700_000]) {
          const content = 'synd '.repeat(size / 5 + 1).slice(0, size)
          for (const chunkBytes of [32_768, 1_000_003]) {
            const stage = await volume.createStage({
              sizeBytes: size,
              digest: digestOfText(content),
            })
            for (let start = 0; start < size; start += chunkBytes) {
              const chunk = Buffer.from(content.slice(start, start + chunkBytes), 'latin1')
              await stage.write(chunk)
              chunk.fill(0)
            }
            await stage.finish()
            const path = `f-${size}-${chunkBytes}`
            demandApplied(
              await volume.apply({
                kind: 'publish',
                entry: fileEntry(path, content),
                stage,
                expected: null,
              }),
            )
            expect(hands.read(path) === content, path).toBe(true)
          }
        }
        expect(stagedFiles(hands)).toEqual([])
      },
    )

    withVolume('zeros arrive as zeros, wherever they are', async ({ volume, hands }) => {
      const zeros = (count: number): string => '\0'.repeat(count)
      const contents = [
        zeros(10),
        zeros(300_000),
        `${zeros(100_000)}end`,
        `begin${zeros(900_000)}end`,
        `begin${zeros(900_000)}`,
        `${zeros(262_144)}${'x'.repeat(262_144)}${zeros(262_144)}`,
      ]
      for (const [n, content] of contents.entries()) {
        const name = `zeros-${n}`
        demandApplied(await put(volume, name, { content }))
        expect(hands.read(name) === content, name).toBe(true)
        const expected = { sizeBytes: content.length, digest: digestOfText(content) }
        const copied = await volume.stageFromLocal(parseRelativePath(name), expected)
        await copied?.discard()
        expect(copied, name).not.toBeNull()
      }
      expect(stagedFiles(hands)).toEqual([])
    })

    withVolume(
      'a source that sends without end is stopped at the first byte too many',
      async ({ volume, hands }) => {
        for (const size of [10, 300_000]) {
          const content = 'x'.repeat(size)
          const stage = await volume.createStage({ sizeBytes: size, digest: digestOfText(content) })
          await stage.write(Buffer.from(content))
          expect(await codeOf(() => stage.write(Buffer.from('y')))).toBe('digest-mismatch')
          expect(stagedFiles(hands)).toEqual([])
        }
      },
    )

    withVolume(
      'other bytes, too few and too many are refused and leave nothing',
      async ({ volume, hands }) => {
        for (const size of [10, 300_000]) {
          const content = 'x'.repeat(size)
          const expected = { sizeBytes: size, digest: digestOfText(content) }
          for (const came of ['y'.repeat(size), 'x'.repeat(size - 1), '', 'x'.repeat(size + 1)]) {
            const stage = await volume.createStage(expected)
            const code = await codeOf(async () => {
              await stage.write(Buffer.from(came))
              await stage.finish()
            })
            expect(code).toBe('digest-mismatch')
            await stage.discard()
          }
          const unfinished = await volume.createStage(expected)
          await unfinished.write(Buffer.from(content))
          await unfinished.discard()
          await unfinished.discard()
          const finished = await staged(volume, content)
          await finished.discard()
        }
        expect(stagedFiles(hands)).toEqual([])
      },
    )

    withVolume('many files are staged at once', async ({ volume, hands }) => {
      const contents = Array.from({ length: 300 }, (_, i) => `content ${i} `.repeat(i))
      const stages = await Promise.all(contents.map((content) => staged(volume, content)))
      expect(stagedFiles(hands)).toHaveLength(300)
      await Promise.all(stages.map((stage) => stage.discard()))
      expect(stagedFiles(hands)).toEqual([])
    })

    withVolume(
      'bytes that are here already are staged without the wire',
      async ({ volume, hands }) => {
        for (const size of [0, 5, 300_000]) {
          const content = 'z'.repeat(size)
          hands.write('here', content)
          const expected = { sizeBytes: size, digest: digestOfText(content) }
          const path = parseRelativePath('here')
          const stage = await volume.stageFromLocal(path, expected)
          if (stage === null) throw new Error('no stage')
          hands.append('here', 'later')
          demandApplied(
            await volume.apply({
              kind: 'publish',
              entry: fileEntry(`copy-${size}`, content),
              stage,
              expected: null,
            }),
          )
          expect(hands.read(`copy-${size}`)).toBe(content)
          expect(await volume.stageFromLocal(path, expected)).toBeNull()
          hands.write('here', 'y'.repeat(size + 1).slice(1))
          if (size > 0) expect(await volume.stageFromLocal(path, expected)).toBeNull()
          hands.remove('here')
          expect(await volume.stageFromLocal(path, expected)).toBeNull()
          hands.symlink(`copy-${size}`, 'here')
          expect(await volume.stageFromLocal(path, expected)).toBeNull()
          hands.remove('here')
        }
        expect(stagedFiles(hands)).toEqual([])
      },
    )

    withVolume(
      'what a former life staged is swept when it is asked for, what this one stages is not',
      async ({ volume, hands, interfered }) => {
        await staged(volume, 'never published')
        hands.symlink('x', '.synd/staging/link')
        expect(stagedFiles(hands)).toHaveLength(2)
        const next = await interfered(() => undefined)
        expect(stagedFiles(hands)).toHaveLength(2)
        await staged(next, 'to be published')
        next.sweep()
        expect(stagedFiles(hands)).toHaveLength(1)
        next.sweep()
        expect(stagedFiles(hands)).toHaveLength(1)
      },
    )
  })
}

async function codeOf(attempt: () => Promise<void>): Promise<string | null> {
  try {
    await attempt()
    return 'none'
  } catch (error) {
    return errorCode(error)
  }
}
