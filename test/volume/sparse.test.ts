import { randomBytes } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { realVolume } from '../support/real-volume.ts'
import { demandApplied, digestOfText, fileEntry, put } from '../support/volume-fixture.ts'

const zeros = (count: number): string => '\0'.repeat(count)
const island = randomBytes(10_000).toString('latin1')

/** With the longest run of zeros at the end, at the start, between, and nothing else. */
const contents = [
  `${island}${zeros(1_000_000)}`,
  `${zeros(1_000_000)}${island}`,
  `${island}${zeros(1_000_000)}${island}`,
  zeros(1_000_000),
  zeros(100_000),
]

/** What the islands take, with their blocks and the buffers that they share with zeros. */
const mostBytes = 100_000

test('long runs of zeros take no room on the disk, neither as they arrive nor when the file is copied here', async () => {
  await using under = realVolume()
  const volume = await under.open()
  const allocated = (name: string): number => lstatSync(join(under.path, name)).blocks * 512
  for (const [n, content] of contents.entries()) {
    demandApplied(await put(volume, `f${n}`, { content }))
    const expected = { sizeBytes: content.length, digest: digestOfText(content) }
    const stage = await volume.stageFromLocal(parseRelativePath(`f${n}`), expected)
    if (stage === null) throw new Error('no stage')
    const entry = fileEntry(`copy${n}`, content)
    demandApplied(await volume.apply({ kind: 'publish', entry, stage, expected: null }))
    for (const name of [`f${n}`, `copy${n}`]) {
      expect(allocated(name), name).toBeLessThan(Math.min(mostBytes, content.length / 2))
      expect(readFileSync(join(under.path, name), 'latin1') === content, name).toBe(true)
    }
  }
})
