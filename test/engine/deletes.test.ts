import { afterEach, describe, expect, test } from 'vitest'
import { directory } from '../core/build.ts'
import type { AttachOptions } from '../support/memory-disk-attached.ts'
import { LoneEngine } from './lone-engine.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** Deletes that nobody announced, as people meet them: on a volume of 200 files in `d`, all from b. */

let synd: LoneEngine

afterEach(async () => {
  await synd.stop()
})

async function started(attach: AttachOptions = {}): Promise<PlayedPeer> {
  synd = await LoneEngine.start({ attach })
  const b = synd.peer('b')
  b.connect()
  b.announce(directory({ path: 'd', version: 'b1', by: 'b1', mode: 0o755 }))
  for (let n = 0; n < 200; n++) b.announce(toldFile(`d/${n}`, `content ${n}`))
  await synd.pass(3_000)
  expect(synd.tree).toHaveLength(201)
  return b
}

/** Does something that the watcher does not see, and waits for the scan that does. */
async function unseen(change: () => void): Promise<void> {
  synd.deafen(true)
  change()
  await synd.pass(400_000)
  synd.deafen(false)
}

/** b is gone, and back with what it had. */
async function goneAndBack(b: PlayedPeer, meanwhile: () => Promise<void>): Promise<void> {
  b.hangUp()
  b.goSilent()
  await synd.pass(100)
  await meanwhile()
  b.connect()
  await synd.pass(60_000)
}

describe('rule 19: deletes that are held', () => {
  test('are over when their directory is moved back, though nothing in it changed', async () => {
    await started()
    await unseen(() => synd.hands.rename('d', '.synd/away'))
    expect(synd.status.volume.heldDeletes).toBe(201)
    await unseen(() => synd.hands.rename('.synd/away', 'd'))
    expect(synd.status.volume.heldDeletes).toBe(0)
    expect(synd.status.problems).toEqual([])
  })

  test('give way to an edit elsewhere, and so does the directory above it', async () => {
    const b = await started()
    await unseen(() => synd.hands.remove('d'))
    expect(synd.status.volume.heldDeletes).toBe(201)
    b.announce(toldFile('d/5', 'edited', 'b2'))
    await synd.pass(10_000)
    expect(synd.tree).toEqual(['d: d 755', 'd/5: f 644 edited'])
    expect(synd.status.volume.heldDeletes).toBe(199)
    expect(synd.transfer.pulls.filter((pull) => pull.startsWith('d/5 '))).toHaveLength(2)
  })

  test('give way to what is new elsewhere', async () => {
    const b = await started()
    await unseen(() => synd.hands.remove('d'))
    b.announce(
      directory({ path: 'd/e', version: 'b2', by: 'b2', mode: 0o755 }),
      toldFile('d/e/new', 'new'),
    )
    await synd.pass(10_000)
    expect(synd.tree).toEqual(['d: d 755', 'd/e: d 755', 'd/e/new: f 644 new'])
    expect(synd.status.volume.heldDeletes).toBe(200)
  })

  test('are stamped when they are approved in the middle of a look, and nothing stays behind', async () => {
    let isArmed = false
    const b = await started({
      refuse: ({ operation, path }) => {
        if (isArmed && operation === 'lstat' && path === 'd') {
          isArmed = false
          void synd.engine.approveDeletes()
        }
        return null
      },
    })
    await unseen(() => synd.hands.remove('d'))
    isArmed = true
    await synd.pass(400_000)
    expect(isArmed).toBe(false)
    b.acknowledge()
    b.settle()
    await synd.pass(10)
    expect(synd.status.volume.tombstones).toBe(201)
    expect(synd.status.inSync).toBe(true)
  })
})

describe('rule 19: entries that were taken back', () => {
  test('are pulled when there is a peer again, also after a restart', async () => {
    const b = await started()
    await unseen(() => synd.hands.remove('d'))
    b.hangUp()
    b.goSilent()
    await synd.pass(100)
    await synd.engine.rejectDeletes()
    await synd.pass(100)
    const left = await synd.stop()
    synd = await LoneEngine.start({}, left)
    const again = synd.peer('b')
    for (let n = 0; n < 200; n++) again.has(`d/${n}`, `content ${n}`)
    again.connect()
    await synd.pass(10_000)
    expect(synd.tree).toHaveLength(201)
  })

  test('come with their directory, though that was deleted meanwhile', async () => {
    const b = await started()
    await unseen(() => {
      for (let n = 0; n < 200; n++) synd.hands.remove(`d/${n}`)
    })
    expect(synd.status.volume.heldDeletes).toBe(200)
    await goneAndBack(b, async () => {
      await synd.engine.rejectDeletes()
      await synd.pass(100)
      synd.hands.remove('d')
      await synd.pass(1_000)
    })
    expect(synd.tree).toHaveLength(201)
  })
})

describe('no delete is', () => {
  test('rule 20: what cannot be looked at any more when it is to be stamped', async () => {
    let looks = -Infinity
    const b = await started({
      refuse: ({ operation, path }) => {
        if (operation !== 'lstat' || path !== 'd/7') return null
        return looks++ < 2 ? null : 'EACCES'
      },
    })
    looks = 0
    synd.hands.remove('d/7')
    await synd.pass(60_000)
    expect(looks).toBeGreaterThan(2)
    const stamped = b.heard.flatMap(({ entries }) => entries).map(({ entry }) => entry.kind)
    expect(stamped).toEqual([])
  })
})
