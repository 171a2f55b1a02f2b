import { afterEach, expect, test } from 'vitest'
import { LoneEngine } from './lone-engine.ts'
import { toldFile } from './played-peer.ts'

let synd: LoneEngine

afterEach(async () => {
  await synd.stop()
})

test('a peer that was slow to read is told the rest as soon as it has read', async () => {
  synd = await LoneEngine.start()
  const b = synd.peer('b')
  b.connect()
  await synd.pass(1_000)
  b.stall()
  b.announce(toldFile('one', '1'))
  await synd.pass(500)
  b.announce(toldFile('two', '2'))
  await synd.pass(10)
  expect(b.appliedUpTo).toBeLessThan(2)
  b.resume()
  await synd.pass(10)
  expect(b.appliedUpTo).toBe(2)
})

test('a peer that reads no replies keeps no other waiting', async () => {
  synd = await LoneEngine.start({ peers: ['b', 'c'] })
  const [b, c] = [synd.peer('b'), synd.peer('c')]
  b.connect()
  c.connect()
  await synd.pass(1_000)
  b.stall()
  b.announce(toldFile('from-b', 'b'))
  await synd.pass(1_000)
  c.announce(toldFile('from-c', 'c', 'c1'))
  await synd.pass(5_000)
  expect(synd.tree).toEqual(['from-b: f 644 b', 'from-c: f 644 c'])
  expect(c.replies.at(-1)).toMatchObject({ kind: 'settled' })
  expect(c.appliedUpTo).toBe(1)
})
