import { afterEach, expect, test } from 'vitest'
import { tombstone } from '../core/build.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { LoneEngine } from './lone-engine.ts'
import { toldFile } from './played-peer.ts'

let synd: LoneEngine

afterEach(async () => {
  await synd.stop()
})

test('rule 22: what had been let go when a life ended does not stay in hold', async () => {
  synd = await LoneEngine.start({
    attach: {
      refuse: ({ operation, path }) =>
        operation === 'unlink' && path.startsWith('.synd/hold/') ? 'EIO' : null,
    },
  })
  const b = synd.peer('b')
  b.connect()
  b.announce(toldFile('f', 'first'))
  await synd.pass(10_000)
  b.announce(tombstone({ path: 'f', version: 'b2', by: 'b2' }))
  await synd.pass(10_000)
  expect(synd.tree).toEqual([])
  const left = await synd.kill()
  expect(memoryHands(left.disk).tree('.synd/hold').size).toBe(1)
  synd = await LoneEngine.start({}, left)
  await synd.pass(1_000)
  expect(memoryHands(left.disk).tree('.synd/hold').size).toBe(0)
})
