import { afterEach, expect, test } from 'vitest'
import { HeldFiles } from '../../src/engine/pull/held-files.ts'
import type { VolumeHalt } from '../../src/engine/ports.ts'
import { tombstone } from '../core/build.ts'
import type { AttachOptions } from '../support/memory-disk-attached.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { LoneEngine } from './lone-engine.ts'
import { engineParts, path } from './parts.ts'
import { toldFile } from './played-peer.ts'

const heldId = '00000000000000aa'

/** By then every peer has looked at everything once more. */
const nextScanMs = 400_000

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

test.each(['its directory is gone', 'there is no room'])(
  'rule 22: a held file of which no copy can be made at the start gets it after a later scan: %s',
  async (hindrance) => {
    synd = await LoneEngine.start()
    synd.hands.mkdir('d')
    synd.hands.write('d/f', 'indexed')
    synd.peer('b').connect()
    await synd.pass(10_000)
    const left = await synd.kill()
    const hands = memoryHands(left.disk)
    hands.write(`.synd/hold/${heldId}`, 'edited meanwhile')
    left.store.recordHolds([{ id: heldId, path: path('d/f'), expected: null }])
    let isHindered = true
    if (hindrance === 'its directory is gone') hands.rename('d', '.synd/elsewhere')
    const refuse: AttachOptions['refuse'] = ({ operation, path }) =>
      hindrance === 'there is no room' &&
      isHindered &&
      operation === 'write' &&
      path.startsWith('.synd/staging/')
        ? 'ENOSPC'
        : null
    synd = await LoneEngine.start({ attach: { refuse } }, left)
    await synd.pass(1_000)
    expect(hands.tree('.synd/hold').size).toBe(1)
    if (hindrance === 'its directory is gone') hands.rename('.synd/elsewhere', 'd')
    isHindered = false
    await synd.pass(nextScanMs)
    expect(hands.tree('.synd/hold').size).toBe(0)
    expect(synd.tree).toEqual([
      'd: d 755',
      'd/f: f 644 indexed',
      expect.stringMatching(/^d\/f\.sync-conflict-.*: f 644 edited meanwhile$/),
    ])
  },
)

test('rule 22: a hold is not forgotten while the volume is not there', async () => {
  const parts = engineParts()
  const hold = { id: heldId, path: path('f'), expected: null }
  parts.store.recordHolds([hold])
  let isThere = false
  const volume = {
    halt: () => (isThere ? null : { code: 'volume-missing', message: 'gone' }) as VolumeHalt | null,
    stageFromHold: async () => null,
    syncDirectories: async () => undefined,
    releaseHolds: async () => undefined,
  }
  const held = new HeldFiles({ ...parts, volume, copies: { ofHold: async () => false } })
  await held.begin()
  await held.tryAgain()
  expect(parts.store.holds()).toEqual([hold])
  isThere = true
  await held.tryAgain()
  expect(parts.store.holds()).toEqual([])
})
