import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Entry } from '../../src/core/entry.ts'
import type { OutcomeRange } from '../../src/core/protocol.ts'
import { formatVector } from '../../src/core/version-vector.ts'
import { peer, tombstone } from '../core/build.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { LoneEngine } from './lone-engine.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'
import { sha256 } from './parts.ts'

/** An engine that is send-only and has told b of its file `x`; rules M1 to M3 and M8. */

let synd: LoneEngine
let b: PlayedPeer

beforeEach(async () => {
  synd = await LoneEngine.start({ mode: 'send-only' })
  b = synd.peer('b')
  b.connect()
  await synd.pass(1_000)
  synd.hands.write('x', 'of a')
  await synd.pass(1_000)
  b.acknowledge()
  b.settle()
  await synd.pass(1_000)
})

afterEach(async () => {
  await synd.stop()
})

/** The last that was announced of a path. */
function announced(path: string, to: PlayedPeer = b): Entry {
  const entries = to.heard.flatMap((one) => one.entries).map(({ entry }) => entry)
  const entry = entries.findLast((one) => one.path === path)
  if (entry === undefined) throw new Error(`nothing was announced of ${path}`)
  return entry
}

/** What became of the announcements of a peer, in the order it was told. */
function told(by: PlayedPeer = b): string[] {
  const ranges = by.replies.flatMap((reply): readonly OutcomeRange[] =>
    reply.kind === 'acknowledgement' ? reply.ranges : [],
  )
  return ranges.map(({ from, to, outcome }) => `${from}-${to} ${outcome.kind}`)
}

/** What a peer that knew our latest of `path` makes of it. */
function over(path: string, content: string): [Entry, string] {
  const [entry] = toldFile(path, content, 'b1')
  const version = new Map([...announced(path).version, [peer('b'), 1]])
  return [{ ...entry, version }, content]
}

test('what it holds is in sync with who took it', () => {
  expect(synd.status.inSync).toBe(true)
  expect(synd.status.volume.diverged).toBe(0)
})

describe('of what others announce it takes', () => {
  test('nothing that would change its disk, and says so (rule M1)', async () => {
    const settled = (): number => b.replies.filter(({ kind }) => kind === 'settled').length
    const before = settled()
    b.announce(toldFile('new', 'of b'), over('x', 'of b'))
    await synd.pass(10_000)
    expect(synd.tree).toEqual(['x: f 644 of a'])
    expect(told()).toEqual(['1-1 not-wanted', '2-2 not-wanted'])
    expect(synd.transfer.pulls).toEqual([])
    b.settle()
    await synd.pass(1_000)
    expect(synd.status.volume).toMatchObject({ diverged: 2, state: 'idle' })
    expect(synd.status.inSync).toBe(false)
    expect(synd.status.peers[0]?.inSync).toBe(false)
    expect(b.replies.at(-1)).toEqual({ kind: 'diverged', paths: 2 })
    expect(settled()).toBe(before)
  })

  test('no delete of what it has (rule M1)', async () => {
    const { version } = announced('x')
    const deleted = tombstone({ path: 'x', version: 'b1', by: 'b1' })
    b.announce({ ...deleted, version: new Map([...version, [peer('b'), 1]]) })
    await synd.pass(10_000)
    expect(synd.tree).toEqual(['x: f 644 of a'])
    expect(synd.status.volume.diverged).toBe(1)
  })

  test('no mode and no mtime (rule M1)', async () => {
    const entry = announced('x')
    b.announce({
      ...entry,
      mode: 0o600,
      version: new Map([...entry.version, [peer('b'), 1]]),
      metadataDot: { peer: peer('b'), counter: 1 },
    })
    await synd.pass(10_000)
    expect(synd.tree).toEqual(['x: f 644 of a'])
    expect(synd.status.volume.diverged).toBe(1)
  })

  test('versions of what is the same, and deletes of what it does not have (rule M1)', async () => {
    const entry = announced('x')
    b.announce(
      { ...entry, version: new Map([...entry.version, [peer('b'), 1]]) },
      tombstone({ path: 'never', version: 'b2', by: 'b2' }),
    )
    b.settle()
    await synd.pass(1_000)
    b.acknowledge()
    await synd.pass(10_000)
    expect(told()).toEqual(['1-2 applied'])
    expect(synd.status.volume).toMatchObject({ diverged: 0, tombstones: 1 })
    expect(synd.status.inSync).toBe(true)
  })

  test('nothing after a restart and a new link either, and tells it again (rule M1)', async () => {
    b.announce(over('x', 'of b'))
    await synd.pass(1_000)
    synd = await LoneEngine.start({ mode: 'send-only' }, await synd.stop())
    b = synd.peer('b')
    b.connect()
    await synd.pass(1_000)
    b.goSilent()
    await synd.pass(100)
    b.dialIn()
    await synd.pass(10_000)
    expect(told()).toEqual(['1-1 not-wanted'])
    expect(synd.status.volume.diverged).toBe(1)
    expect(synd.tree).toEqual(['x: f 644 of a'])
  })
})

describe('what is changed on it', () => {
  test('is stamped over everything recorded of the path (rule M2)', async () => {
    const c = synd.peer('c')
    synd.configure(['b', 'c'])
    c.connect()
    b.announce(over('x', 'of b'))
    c.announce(toldFile('x', 'of c', 'c7'))
    await synd.pass(1_000)
    expect(synd.status.volume.diverged).toBe(1)
    synd.hands.write('x', 'of a again')
    await synd.pass(1_000)
    const { version } = announced('x')
    expect(version.get(peer('b'))).toBe(1)
    expect(version.get(peer('c'))).toBe(7)
    expect(told()).toContain('1-1 applied')
    for (const one of [b, c]) {
      one.acknowledge()
      one.settle()
    }
    await synd.pass(1_000)
    expect(synd.status.volume.diverged).toBe(0)
    expect(synd.status.inSync).toBe(true)
    expect(b.replies.filter(({ kind }) => kind === 'diverged').at(-1)).toEqual({
      kind: 'diverged',
      paths: 0,
    })
  })

  test('is deleted over everything recorded of the path (rule M2)', async () => {
    b.announce(over('x', 'of b'))
    await synd.pass(1_000)
    synd.hands.remove('x')
    await synd.pass(5_000)
    const entry = announced('x')
    expect(entry.kind).toBe('tombstone')
    expect(entry.version.get(peer('b'))).toBe(1)
    expect(synd.status.volume.diverged).toBe(0)
  })

  test('keeps the directory that others deleted (rules 11 and M2)', async () => {
    synd.hands.mkdir('d')
    synd.hands.write('d/old', 'old')
    await synd.pass(1_000)
    const deletes = ['d/old', 'd'].map((path, index): Entry => {
      const known = announced(path)
      const dead = tombstone({ path, version: 'b1', by: `b${index + 1}` })
      const version = new Map([...known.version, [peer('b'), index + 1]])
      return known.kind === 'directory'
        ? { ...dead, version, removedKind: 'directory', removedDigest: null }
        : { ...dead, version }
    })
    b.announce(...deletes)
    await synd.pass(1_000)
    expect(synd.status.volume.diverged).toBe(2)
    const before = formatVector(announced('d').version)
    synd.hands.write('d/new', 'new')
    await synd.pass(10_000)
    const again = announced('d')
    expect(again.kind).toBe('directory')
    expect(formatVector(again.version)).not.toBe(before)
    expect(again.version.get(peer('b'))).toBe(2)
    expect(synd.status.volume.diverged).toBe(1)
  })
})

describe('what it finds while joining (rule M3)', () => {
  async function joined(...theirs: readonly (Entry | [Entry, string])[]): Promise<void> {
    const host = await synd.stop()
    const store = new MemoryStore({ peerId: peer('e') })
    synd = await LoneEngine.start({ mode: 'send-only' }, { ...host, store })
    b = synd.peer('b')
    b.connect()
    b.announce(...theirs)
    await synd.pass(10_000)
  }

  test('is announced beside other content, and not over it', async () => {
    await joined(toldFile('x', 'of b', 'b5'))
    expect(synd.tree).toEqual(['x: f 644 of a'])
    const entry = announced('x')
    expect(entry).toMatchObject({ digest: sha256('of a') })
    expect(entry.version.has(peer('b'))).toBe(false)
    expect(synd.status.volume.diverged).toBe(1)
  })

  test('is announced over a delete', async () => {
    await joined(tombstone({ path: 'x', version: 'b5', by: 'b5' }))
    expect(synd.tree).toEqual(['x: f 644 of a'])
    expect(announced('x').version.get(peer('b'))).toBe(5)
    expect(synd.status.volume.diverged).toBe(0)
  })

  test('is announced over the same content with another mtime', async () => {
    await joined(toldFile('x', 'of a', 'b5'))
    expect(announced('x').version.get(peer('b'))).toBe(5)
    expect(synd.status.volume.diverged).toBe(0)
  })

  test('takes over the version of the very same', async () => {
    const entry = announced('x')
    await joined({ ...entry, version: new Map([[peer('b'), 5]]) })
    expect(b.heard.flatMap(({ entries }) => entries)).toEqual([])
    expect(synd.status.volume.diverged).toBe(0)
  })
})

test('who is linked to a peer that keeps paths apart is not in sync (rule M8)', async () => {
  expect(synd.status.inSync).toBe(true)
  b.diverge(3)
  await synd.pass(1_000)
  expect(synd.status.inSync).toBe(false)
  expect(synd.status.peers[0]).toMatchObject({ inSync: false, diverged: 3 })
  b.diverge(0)
  await synd.pass(1_000)
  expect(synd.status.inSync).toBe(true)
})
