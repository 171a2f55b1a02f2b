import { randomBytes } from 'node:crypto'
import { closeSync, ftruncateSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { patientMs, untilAtRest } from './at-rest.ts'

const MiB = 1024 * 1024
const islandBytes = 50_000

/** The last are large enough for a lane of their own. */
const images = [
  { name: 'small.img', sizeBytes: 200_000, islands: [0] },
  { name: 'middle.img', sizeBytes: 4 * MiB, islands: [MiB, 3 * MiB] },
  {
    name: 'large.img',
    sizeBytes: 64 * MiB,
    islands: [0, 10 * MiB + 1, 40 * MiB, 64 * MiB - islandBytes],
  },
  { name: 'ends-in-a-hole.img', sizeBytes: 32 * MiB + 17, islands: [MiB] },
  { name: 'nothing.img', sizeBytes: 16 * MiB, islands: [] },
] as const

let cluster: Cluster

afterEach(async () => cluster.stop(), patientMs)

test(
  'sparse files arrive equal and stay sparse, also when they are renamed or grow',
  { timeout: 2 * patientMs },
  async () => {
    cluster = await Cluster.make(['alpha', 'beta'])
    await cluster.start()
    const here = cluster.member('alpha').volume
    for (const { name, sizeBytes, islands } of images) {
      makeSparse(join(here, name), { sizeBytes, islands })
    }
    await untilAtRest(cluster)
    for (const { name, sizeBytes } of images) expectSparse(name, sizeBytes)
    for (const { name } of images) renameSync(join(here, name), join(here, `moved-${name}`))
    await untilAtRest(cluster)
    for (const { name, sizeBytes } of images) expectSparse(`moved-${name}`, sizeBytes)
    makeSparse(join(here, 'moved-large.img'), { sizeBytes: 90 * MiB, islands: [80 * MiB] })
    await untilAtRest(cluster)
    expectSparse('moved-large.img', 90 * MiB)
  },
)

/** Of a file that is there already the rest stays as it is. */
function makeSparse(
  path: string,
  { sizeBytes, islands }: { readonly sizeBytes: number; readonly islands: readonly number[] },
): void {
  const fd = openSync(path, 'a+')
  ftruncateSync(fd, sizeBytes)
  closeSync(fd)
  const writing = openSync(path, 'r+')
  for (const start of islands) writeSync(writing, randomBytes(islandBytes), 0, islandBytes, start)
  closeSync(writing)
}

/** On the side that received it, and where it was made, or this file system knows no holes. */
function expectSparse(name: string, sizeBytes: number): void {
  for (const { name: member, volume } of cluster.members) {
    const { size, blocks } = statSync(join(volume, name))
    expect(size).toBe(sizeBytes)
    expect(blocks * 512, `${name} of ${member}`).toBeLessThan(sizeBytes / 2)
  }
}
