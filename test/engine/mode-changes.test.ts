import { afterEach, describe, expect, test } from 'vitest'
import type { Entry } from '../../src/core/entry.ts'
import type { SyncMode } from '../../src/core/protocol.ts'
import { peer } from '../core/build.ts'
import { LoneEngine } from './lone-engine.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** A mode that is another at the next start (rule M9). */

let synd: LoneEngine
let b: PlayedPeer

afterEach(async () => {
  await synd.stop()
})

async function started(
  mode: SyncMode,
  host?: Parameters<typeof LoneEngine.start>[1],
): Promise<void> {
  synd = await LoneEngine.start({ mode }, host)
  b = synd.peer('b')
  b.connect()
  await synd.pass(1_000)
}

async function restarted(mode: SyncMode): Promise<void> {
  await started(mode, await synd.stop())
  await synd.pass(20_000)
}

function tree(): string[] {
  return synd.tree.map((line) => line.replace(/\.sync-conflict-[-0-9a-f]+/, '.COPY')).toSorted()
}

/** What was announced and is of our own making, as `path kind`; the rest is relayed. */
function announced(): string[] {
  const self = synd.host.store.identity().peerId
  const entries = b.heard.flatMap((one) => one.entries).map(({ entry }) => entry)
  const made = entries.filter(({ version }) => !version.has(peer('b')) || version.has(self))
  return made.map(({ path, kind }) => `${path} ${kind}`)
}

/** As a peer says it whose clock is ahead: it wins (rule 5). */
function younger([entry, content]: readonly [Entry, string]): [Entry, string] {
  return [{ ...entry, mtimeUs: Date.UTC(2040, 1) * 1_000 }, content]
}

describe('send-only to send-receive', () => {
  test('takes everything that was recorded', async () => {
    await started('send-only')
    b.announce(toldFile('x', 'theirs', 'b1'))
    await synd.pass(5_000)
    expect(synd.status.volume.diverged).toBe(1)
    const host = await synd.stop()
    synd = await LoneEngine.start({ mode: 'send-receive' }, host)
    b = synd.peer('b')
    b.has('x', 'theirs')
    b.connect()
    await synd.pass(20_000)
    expect(tree()).toEqual(['x: f 644 theirs'])
    expect(synd.status.volume.diverged).toBe(0)
  })

  test('a conflict that was left is resolved with a copy', async () => {
    await started('send-only')
    synd.hands.write('x', 'mine')
    await synd.pass(2_000)
    b.announce(younger(toldFile('x', 'theirs', 'b1')))
    await synd.pass(5_000)
    const host = await synd.stop()
    synd = await LoneEngine.start({ mode: 'send-receive' }, host)
    b = synd.peer('b')
    b.has('x', 'theirs')
    b.connect()
    await synd.pass(20_000)
    expect(tree()).toEqual(['x.COPY: f 644 mine', 'x: f 644 theirs'])
  })
})

describe('receive-only to send-receive', () => {
  test('its changes are edits over what it received', async () => {
    await started('receive-only')
    b.announce(toldFile('x', 'one', 'b1'), toldFile('y', 'why', 'b2'))
    await synd.pass(5_000)
    synd.hands.write('x', 'mine')
    synd.hands.write('new', 'mine')
    synd.hands.remove('y')
    await synd.pass(5_000)
    expect(announced()).toEqual([])
    await restarted('send-receive')
    expect(announced().toSorted()).toEqual(['new file', 'x file', 'y tombstone'])
    const entries = b.heard.flatMap((one) => one.entries).map(({ entry }) => entry)
    expect(entries.findLast(({ path }) => path === 'x')?.version.get(peer('b'))).toBe(1)
    expect(synd.status.volume.diverged).toBe(0)
    expect(synd.status.problems).toEqual([])
  })

  test('nothing is lost where others went on meanwhile', async () => {
    await started('receive-only')
    b.announce(toldFile('x', 'one', 'b1'))
    await synd.pass(5_000)
    synd.hands.write('x', 'mine')
    await synd.pass(5_000)
    await started('send-receive', await synd.stop())
    b.announce(younger(toldFile('x', 'two', 'b2')))
    await synd.pass(20_000)
    expect(
      tree()
        .map((line) => line.split(' ').at(-1))
        .toSorted(),
    ).toEqual(['mine', 'two'])
  })

  test('a mass loss is held back', async () => {
    await started('receive-only')
    for (let n = 0; n < 20; n++) b.announce(toldFile(`${n}`, `${n}`, `b${n + 1}`))
    await synd.pass(5_000)
    for (let n = 0; n < 20; n++) synd.hands.remove(`${n}`)
    await synd.pass(5_000)
    expect(synd.status.volume.diverged).toBe(20)
    await restarted('send-receive')
    expect(synd.status.volume.heldDeletes).toBe(20)
    expect(announced()).toEqual([])
  })
})

describe('send-receive to receive-only', () => {
  test('what was stamped stays announced, what was not is a local change', async () => {
    await started('send-receive')
    synd.hands.write('x', 'announced')
    await synd.pass(5_000)
    const host = await synd.stop()
    synd = await LoneEngine.start({ mode: 'receive-only' }, host)
    synd.hands.write('y', 'not announced')
    b = synd.peer('b')
    b.connect()
    await synd.pass(20_000)
    expect(announced()).toEqual(['x file'])
    expect(synd.status.volume.diverged).toBe(1)
  })

  test('held deletes, and what was found while joining, are local changes', async () => {
    await started('send-receive')
    for (let n = 0; n < 20; n++) b.announce(toldFile(`${n}`, `${n}`, `b${n + 1}`))
    await synd.pass(5_000)
    for (let n = 0; n < 20; n++) synd.hands.remove(`${n}`)
    await synd.pass(5_000)
    expect(synd.status.volume.heldDeletes).toBe(20)
    await restarted('receive-only')
    expect(synd.status.volume).toMatchObject({ heldDeletes: 0, diverged: 20 })
    expect(await synd.engine.approveDeletes()).toBe(0)
    expect(announced()).toEqual([])
  })

  test('what a joining peer had found is told to nobody', async () => {
    synd = await LoneEngine.start({ mode: 'send-receive' })
    synd.hands.write('x', 'mine')
    await synd.pass(15_000)
    await restarted('receive-only')
    expect(announced()).toEqual([])
    expect(synd.status.volume).toMatchObject({ diverged: 1, files: 0 })
  })
})
