import { beforeEach, expect, test } from 'vitest'
import { tombstone } from '../core/build.ts'
import { HeldDeletes } from '../../src/engine/publish/held-deletes.ts'
import { Unrecorded } from '../../src/engine/unrecorded.ts'
import { engineParts, put } from './parts.ts'

/** Rule 22: what becomes of holds that were let go while their files are being removed. */

/** Removes nothing before it is told to. */
class SlowVolume {
  readonly #removals: { ids: readonly string[]; done: () => void }[] = []

  halt(): null {
    return null
  }

  async syncDirectories(): Promise<void> {}

  releaseHolds(ids: readonly string[]): Promise<void> {
    return new Promise((done) => this.#removals.push({ ids, done }))
  }

  get removing(): readonly string[] {
    return this.#removals.flatMap(({ ids }) => ids)
  }

  /** The files that it was told of first are gone. */
  async finish(): Promise<void> {
    this.#removals.shift()?.done()
    await turns()
  }
}

let parts: ReturnType<typeof engineParts>
let volume: SlowVolume
let unrecorded: Unrecorded
let recorded: number

beforeEach(() => {
  parts = engineParts()
  volume = new SlowVolume()
  recorded = 0
  unrecorded = new Unrecorded({
    ...parts,
    volume,
    heldDeletes: new HeldDeletes({ ...parts, share: null }),
  })
})

/** Lets all that can go on go on. */
async function turns(): Promise<void> {
  await new Promise((done) => setImmediate(done))
}

/** Records removals one after the other, each with a hold that is let go. */
async function record(...ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await unrecorded.record({
      puts: [put(tombstone({ path: id, version: `a${id}`, by: `a${id}` }))],
      holds: [id],
    })
    recorded++
  }
}

test('what comes next is recorded while files of before are still removed, a batch at a time', async () => {
  await record('1', '2')
  await turns()
  expect(volume.removing).toEqual(['1'])
  expect(parts.store.releasedHolds()).toEqual(['1', '2'])
})

test('the index forgets them with the first commit after they are gone', async () => {
  await record('1', '2')
  await volume.finish()
  expect(parts.store.releasedHolds()).toEqual(['1', '2'])
  await record('3')
  expect(parts.store.releasedHolds()).toEqual(['2', '3'])
})

test('who removes faster than the disk can waits for it', async () => {
  await record('1')
  const many = Array.from({ length: 8_191 }, (_, n) => `more-${n}`)
  await unrecorded.record({ puts: [], holds: many })
  const recording = record('2')
  await turns()
  expect(recorded).toBe(1)
  await volume.finish()
  await recording
  expect(recorded).toBe(2)
  expect(parts.store.releasedHolds()).toEqual(['2', ...many.toSorted()])
})

test('are all gone when it says so', async () => {
  let isDone = false
  await record('1', '2')
  const done = unrecorded.released().then(() => (isDone = true))
  await volume.finish()
  expect(isDone).toBe(false)
  await volume.finish()
  await done
  expect(volume.removing).toEqual([])
})
