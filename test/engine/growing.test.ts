import { afterEach, expect, test } from 'vitest'
import { LoneEngine } from './lone-engine.ts'

/** A file that is another one each time somebody reads of it: it is never hashed as it was found. */

let synd: LoneEngine

afterEach(async () => synd.stop())

/** Gives the sizes that the log had, all different, while `write` wrote into it, at most every 10 ms. */
async function logFor60s(
  write: (hands: LoneEngine['hands'], n: number) => void,
): Promise<number[]> {
  const sizes: number[] = [6]
  let writtenMs = Infinity
  synd = await LoneEngine.start({
    attach: {
      pause: async ({ operation, path }) => {
        if (operation !== 'read' || path !== 'log') return
        const nowMs = synd.host.clock.monotonicMs()
        if (nowMs - writtenMs < 10) return
        writtenMs = nowMs
        write(synd.hands, sizes.length)
        sizes.push(synd.hands.read('log')?.length ?? 0)
      },
    },
  })
  synd.peer('b').connect()
  await synd.pass(3_000)
  synd.hands.write('log', 'begin\n')
  await synd.pass(3_000)
  writtenMs = 0
  synd.hands.append('log', 'the first\n')
  sizes.push(16)
  await synd.pass(60_000)
  return sizes
}

function announced(): number[] {
  return synd
    .peer('b')
    .heard.flatMap(({ entries }) => entries.map(({ entry }) => entry))
    .filter((entry) => entry.path === 'log')
    .map((entry) => (entry.kind === 'file' ? entry.sizeBytes : 0))
}

test('rule 15: a log that is appended to all the time is published at the latest every 10 s, as far as it was then', async () => {
  const sizes = await logFor60s((hands, n) => hands.append('log', `line ${n}\n`))
  const told = announced()
  expect(told.filter((size) => !sizes.includes(size))).toEqual([])
  expect(told).toEqual(told.toSorted((a, b) => a - b))
  expect(told.length).toBeGreaterThan(8)
  expect(told.length).toBeLessThan(20)
})

test('rule 15: one that is written anew and larger all the time is never published in part', async () => {
  const sizes = await logFor60s((hands, n) => hands.write('log', `${n} `.repeat(10 + n)))
  const told = announced()
  expect(told.filter((size) => !sizes.includes(size))).toEqual([])
})
