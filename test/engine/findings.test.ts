import { afterEach, expect, test } from 'vitest'
import { LoneEngine } from './lone-engine.ts'

let synd: LoneEngine

afterEach(async () => {
  await synd.stop()
})

const large = 'x'.repeat(1024 * 1024 + 1)

/** How many files are known this long after each of these was made. */
async function knownAfter(ms: number, make: () => void): Promise<number> {
  synd = await LoneEngine.start()
  synd.peer('b').connect()
  await synd.pass(20_000)
  make()
  await synd.pass(ms)
  return synd.engine.status().volume.files
}

test('a large file that was just written is published once it has been quiet', async () => {
  expect(await knownAfter(140, () => synd.hands.write('f', large))).toBe(0)
  await synd.pass(60)
  expect(synd.engine.status().volume.files).toBe(1)
})

test('a large file that is moved here whole is published at once', async () => {
  const known = await knownAfter(20, () => {
    synd.hands.write('f', large)
    synd.hands.setMtime('f', (synd.host.clock.nowMs() - 2_001) * 1000)
  })
  expect(known).toBe(1)
})

test('a file that is made empty and written to at once is published with its content, and not before', async () => {
  const known = await knownAfter(5, () => synd.hands.write('f', ''))
  expect(known).toBe(0)
  synd.hands.write('f', 'content')
  await synd.pass(100)
  const told = synd.peer('b').heard.flatMap(({ entries }) => entries.map(({ entry }) => entry))
  expect(told.map((entry) => (entry.kind === 'file' ? entry.sizeBytes : null))).toEqual([7])
})

test('a file that stays empty is published', async () => {
  expect(await knownAfter(20, () => synd.hands.write('f', ''))).toBe(1)
})
