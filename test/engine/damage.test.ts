import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Entry, FileEntry } from '../../src/core/entry.ts'
import { SyndError } from '../../src/core/errors.ts'
import { compareVectors } from '../../src/core/version-vector.ts'
import type { Transaction } from '../../src/engine/ports.ts'
import { peer } from '../core/build.ts'
import type { MemoryDisk } from '../support/memory-disk.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { writeInto } from '../support/memory-inode.ts'
import { LoneEngine } from './lone-engine.ts'
import { path } from './parts.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** Rule 23: what a power loss took. Each life after one begins under another boot id. */

type Options = Parameters<typeof LoneEngine.start>[0]

let synd: LoneEngine
let boots = 0

afterEach(async () => {
  await synd.stop()
})

/** We hold `f` as `ours`, and b has it from us. */
async function started(options: Options = {}): Promise<PlayedPeer> {
  boots = 0
  synd = await LoneEngine.start(options)
  const b = synd.peer('b')
  b.connect()
  await synd.pass(1_000)
  synd.hands.write('f', 'ours')
  await synd.pass(1_000)
  b.acknowledge()
  await synd.pass(20_000)
  expect([...fileAt('f').version.keys()]).toEqual([peer('a')])
  return b
}

/** The power goes, `lose` says what was not on the disk yet; nobody is connected after it. */
async function powerLoss(
  lose: (disk: MemoryDisk) => void = () => undefined,
  options: Options = {},
): Promise<PlayedPeer> {
  const left = await synd.kill()
  lose(left.disk)
  synd = await LoneEngine.start({ bootId: `boot ${++boots}`, ...options }, left)
  return synd.peer('b')
}

/** The bytes of a file are others, and its times are as they were. */
function holds(at: string, content: string): (disk: MemoryDisk) => void {
  return (disk) => {
    const inode = disk.tree().file(at)
    inode.sizeBytes = 0
    writeInto(inode, 0, Buffer.from(content, 'latin1'))
  }
}

/** The file is as it was a minute before. */
function isOlder(at: string, content: string): (disk: MemoryDisk) => void {
  return (disk) => {
    holds(at, content)(disk)
    const inode = disk.tree().file(at)
    inode.mtimeNs -= 60_000_000_000n
    inode.ctimeNs -= 60_000_000_000n
  }
}

/** The name is not there, nor a trace of its going. */
function lacks(name: string): (disk: MemoryDisk) => void {
  return (disk) => void disk.tree().root.entries.delete(name)
}

function entryAt(at: string): Entry {
  const record = synd.host.store.get(path(at))
  if (record === null) throw new Error(`nothing is known of ${at}`)
  return record.entry
}

function fileAt(at: string): FileEntry {
  const entry = entryAt(at)
  if (entry.kind !== 'file') throw new Error(`${at} is no file`)
  return entry
}

/** What a peer was told of a path. */
function told(by: PlayedPeer, at: string): Entry[] {
  return by.heard
    .flatMap(({ entries }) => entries)
    .map(({ entry }) => entry)
    .filter((entry) => entry.path === at)
}

const damaged = (at: string) => ({ path: at, code: 'damaged' })

const lostForms = [
  ['holds zeros', holds('f', '\0\0\0\0')],
  ['is shorter', holds('f', 'ou')],
  ['is empty', holds('f', '')],
  ['is older', isOlder('f', 'before')],
  ['is missing', lacks('f')],
] as const

describe.each(lostForms)('after a power loss a file that %s', (_, lose) => {
  test('rule 23: is damage: never announced, not served, listed, and not in sync', async () => {
    await started()
    const known = fileAt('f')
    const sequence = synd.host.store.lastSequence()
    const b = await powerLoss(lose)
    await synd.pass(30_000)
    expect(synd.status.problems).toContainEqual(expect.objectContaining(damaged('f')))
    expect(synd.engine.servable(path('f'))).toBeNull()
    expect(entryAt('f')).toEqual(known)
    expect(synd.host.store.lastSequence()).toBe(sequence)
    b.connect()
    b.acknowledge()
    b.settle()
    await synd.pass(100)
    expect(synd.status.inSync).toBe(false)
    for (const entry of told(b, 'f')) expect(entry).toEqual(known)
  })

  test('rule 23: is pulled again from a peer that has it', async () => {
    await started()
    const known = fileAt('f')
    const b = await powerLoss(lose)
    b.has('f', 'ours')
    b.connect()
    await synd.pass(10_000)
    expect(synd.hands.read('f')).toBe('ours')
    expect(entryAt('f')).toEqual(known)
    expect(synd.engine.servable(path('f'))?.entry).toEqual(known)
    expect(synd.status.problems).toEqual([])
    for (const entry of told(b, 'f')) expect(entry).toEqual(known)
  })
})

test('rule 23: directories and links are damage too, and are made again without anybody', async () => {
  await started()
  synd.hands.mkdir('d')
  synd.hands.chmod('d', 0o750)
  synd.hands.symlink('f', 'l')
  await synd.pass(1_000)
  const known = ['d', 'l'].map(entryAt)
  await powerLoss((disk) => {
    lacks('d')(disk)
    lacks('l')(disk)
  })
  await synd.pass(30_000)
  expect(synd.tree).toEqual(['d: d 750', 'f: f 644 ours', 'l: l f'])
  expect(['d', 'l'].map(entryAt)).toEqual(known)
})

test('rule 23: what was in a directory that is missing is damage like the directory', async () => {
  await started()
  synd.hands.mkdir('d')
  synd.hands.write('d/g', 'ours too')
  await synd.pass(1_000)
  const known = ['d', 'd/g'].map(entryAt)
  const b = await powerLoss(lacks('d'))
  b.has('d/g', 'ours too')
  b.connect()
  await synd.pass(30_000)
  expect(synd.tree).toEqual(['d: d 755', 'd/g: f 644 ours too', 'f: f 644 ours'])
  expect(['d', 'd/g'].map(entryAt)).toEqual(known)
})

test('rule 23: a directory that has to be in the place of what was lost is put beside it and covers nothing', async () => {
  await started()
  synd.hands.mkdir('old')
  await synd.pass(1_000)
  synd.hands.write('x', 'ours too')
  await synd.pass(1_000)
  const known = fileAt('x')
  const b = await powerLoss((disk) => {
    const { entries } = disk.tree().root
    const old = entries.get('old')
    if (old === undefined) throw new Error('no directory')
    entries.delete('old')
    entries.set('x', old)
    memoryHands(disk).write('x/inside', 'new')
    old.mtimeNs = BigInt(known.mtimeUs) * 1_000n - 1_000n
  })
  b.connect()
  await synd.pass(30_000)
  expect(entryAt('x')).toMatchObject({ kind: 'directory' })
  expect(compareVectors(entryAt('x').version, known.version)).toBe('concurrent')
  expect(told(b, 'x').at(-1)).toEqual(entryAt('x'))
})

describe('after a power loss', () => {
  test.each([
    ['written into', () => synd.hands.write('f', 'edited')],
    ['replaced', () => synd.hands.replace('f', 'edited')],
  ])('rule 23: a file that was damaged and then %s by somebody is an edit', async (_, edit) => {
    await started()
    const known = fileAt('f')
    const b = await powerLoss(holds('f', 'ou'))
    await synd.pass(30_000)
    edit()
    await synd.pass(1_000)
    b.connect()
    await synd.pass(10_000)
    expect(synd.tree).toEqual(['f: f 644 edited'])
    expect(compareVectors(known.version, fileAt('f').version)).toBe('behind')
    expect(told(b, 'f').at(-1)).toEqual(fileAt('f'))
    expect(synd.status.problems).toEqual([])
  })

  test('rule 23: a file that somebody changed before the start is an edit', async () => {
    await started()
    const known = fileAt('f')
    const b = await powerLoss((disk) => memoryHands(disk).write('f', 'edited'))
    b.connect()
    await synd.pass(10_000)
    expect(compareVectors(known.version, fileAt('f').version)).toBe('behind')
    expect(synd.tree).toEqual(['f: f 644 edited'])
    expect(told(b, 'f').at(-1)).toEqual(fileAt('f'))
  })

  test('rule 23: a file that somebody put back is repaired', async () => {
    await started()
    const known = fileAt('f')
    await powerLoss(lacks('f'))
    await synd.pass(30_000)
    synd.hands.write('f', 'ours')
    synd.hands.setMtime('f', known.mtimeUs)
    await synd.pass(30_000)
    expect(entryAt('f')).toEqual(known)
    expect(synd.engine.servable(path('f'))?.entry).toEqual(known)
    expect(synd.status.problems).not.toContainEqual(expect.objectContaining(damaged('f')))
  })

  test('rule 23: a directory in whose place somebody put a file took what was in it', async () => {
    await started()
    synd.hands.mkdir('d')
    synd.hands.write('d/g', 'ours too')
    await synd.pass(1_000)
    const b = await powerLoss((disk) => {
      memoryHands(disk).remove('d')
      memoryHands(disk).write('d', 'a file')
    })
    b.has('d/g', 'ours too')
    b.connect()
    await synd.pass(60_000)
    expect(synd.tree).toEqual(['d: f 644 a file', 'f: f 644 ours'])
    expect(told(b, 'd/g').at(-1)?.kind).toBe('tombstone')
  })
})

describe('no power loss', () => {
  const ends = [
    ['a kill without another boot', () => synd.kill(), 'boot'],
    ['a clean stop before another boot', () => synd.stop(), 'boot 2'],
  ] as const

  test.each(ends)('rule 23: is %s: what differs is an edit', async (_, end, bootId) => {
    await started()
    const left = await end()
    holds('f', 'ou')(left.disk)
    synd = await LoneEngine.start({ bootId }, left)
    await synd.pass(30_000)
    expect(fileAt('f').sizeBytes).toBe(2)
    expect(synd.status.problems).not.toContainEqual(expect.objectContaining(damaged('f')))
  })

  test.each(ends)('rule 23: is %s: what is missing was deleted', async (_, end, bootId) => {
    await started()
    const { digest } = fileAt('f')
    const left = await end()
    lacks('f')(left.disk)
    synd = await LoneEngine.start({ bootId }, left)
    await synd.pass(30_000)
    expect(entryAt('f')).toMatchObject({ kind: 'tombstone', removedDigest: digest })
  })
})

describe('damage that is repaired', () => {
  /** `f` was missing, and b gave it back. */
  async function repaired(): Promise<PlayedPeer> {
    await started()
    const b = await powerLoss(lacks('f'))
    b.has('f', 'ours')
    b.connect()
    await synd.pass(10_000)
    expect(synd.tree).toEqual(['f: f 644 ours'])
    return b
  }

  test('rule 23: is forgotten: what goes now was deleted', async () => {
    const b = await repaired()
    synd.hands.remove('f')
    await synd.pass(10_000)
    expect(synd.tree).toEqual([])
    expect(told(b, 'f').at(-1)?.kind).toBe('tombstone')
  })

  test('rule 23: is forgotten: what gets an old time now was changed', async () => {
    const b = await repaired()
    synd.hands.write('f', 'edited')
    synd.hands.setMtime('f', Date.UTC(2000, 0, 1) * 1000)
    await synd.pass(10_000)
    expect(synd.tree).toEqual(['f: f 644 edited'])
    expect(told(b, 'f').at(-1)).toEqual(fileAt('f'))
  })

  test('rule 23: is forgotten by the next start too, under the same boot', async () => {
    await repaired()
    const left = await synd.kill()
    lacks('f')(left.disk)
    synd = await LoneEngine.start({ bootId: `boot ${boots}` }, left)
    await synd.pass(30_000)
    expect(entryAt('f').kind).toBe('tombstone')
  })
})

describe('damage that is not repaired', () => {
  test.each([
    ['a clean stop', () => synd.stop(), 0],
    ['a kill', () => synd.kill(), 0],
    ['another boot after a clean stop', () => synd.stop(), 1],
    ['another power loss', () => synd.kill(), 1],
  ] as const)('rule 23: is found again after %s', async (_, end, later) => {
    await started()
    const known = fileAt('f')
    await powerLoss(lacks('f'))
    await synd.pass(30_000)
    for (let times = 0; times < 2; times++) {
      const left = await end()
      boots += later
      synd = await LoneEngine.start({ bootId: `boot ${boots}` }, left)
      await synd.pass(30_000)
      expect(entryAt('f')).toEqual(known)
      expect(synd.status.problems).toContainEqual(expect.objectContaining(damaged('f')))
    }
    const b = synd.peer('b')
    b.has('f', 'ours')
    b.connect()
    await synd.pass(10_000)
    expect(synd.tree).toEqual(['f: f 644 ours'])
    expect(entryAt('f')).toEqual(known)
  })
})

describe('what nobody has any more', () => {
  const lost = ['warn', 'what was lost here is on no peer', { path: 'f' }] as const

  test('rule 23: is given up, and that is logged with its path', async () => {
    await started()
    const b = await powerLoss(lacks('f'))
    const log = vi.spyOn(synd.observer, 'log')
    await synd.pass(20_000)
    expect(log).not.toHaveBeenCalledWith(...lost)
    b.connect()
    await synd.pass(20_000)
    expect(log.mock.calls.filter(([, message]) => message === lost[1])).toEqual([lost])
    expect(synd.status.problems).toEqual([])
    expect(synd.transfer.pulls.filter((pull) => pull === 'f from b').length).toBeGreaterThan(1)
  })

  test('rule 23: leaves a tombstone over nothing where it is missing, which names no content', async () => {
    await started()
    const known = fileAt('f')
    const b = await powerLoss(lacks('f'))
    b.connect()
    await synd.pass(20_000)
    const tombstone = entryAt('f')
    expect(tombstone).toMatchObject({
      kind: 'tombstone',
      removedKind: 'directory',
      removedDigest: null,
    })
    expect([...tombstone.version.values()]).toEqual([1])
    expect(compareVectors(known.version, tombstone.version)).toBe('concurrent')
    expect(told(b, 'f').at(-1)).toEqual(tombstone)
  })

  test('rule 23: leaves what is on the disk as found in joining: stamped as founders stamp it', async () => {
    await started()
    const known = fileAt('f')
    const b = await powerLoss(holds('f', 'ou'))
    b.connect()
    await synd.pass(20_000)
    expect(synd.tree).toEqual(['f: f 644 ou'])
    const left = fileAt('f')
    expect([...left.version.values()]).toEqual([1])
    expect(left.contentDot).toEqual({ peer: [...left.version.keys()][0], counter: 1 })
    expect(compareVectors(known.version, left.version)).toBe('concurrent')
    expect(told(b, 'f').at(-1)).toEqual(left)
    expect(synd.engine.servable(path('f'))?.entry).toEqual(left)
  })

  test('rule 23: is still wanted while a peer that may have it is away', async () => {
    await started({ peers: ['b', 'c'] })
    const known = fileAt('f')
    const b = await powerLoss(lacks('f'), { peers: ['b', 'c'] })
    b.connect()
    await synd.pass(600_000)
    expect(entryAt('f')).toEqual(known)
    const c = synd.peer('c')
    c.has('f', 'ours')
    c.connect()
    await synd.pass(60_000)
    expect(synd.tree).toEqual(['f: f 644 ours'])
    expect(entryAt('f')).toEqual(known)
  })

  test('rule 23: is still wanted while a name of peers resolves to nothing', async () => {
    await started()
    const known = fileAt('f')
    const b = await powerLoss(lacks('f'), { unresolved: ['peers.example'] })
    b.connect()
    await synd.pass(600_000)
    expect(entryAt('f')).toEqual(known)
  })
})

describe('what a peer told of what was given up', () => {
  /** b told an older `f`, which our edit covers and b has not heard of; then our edit is lost. */
  async function givenUp(lose: (disk: MemoryDisk) => void): Promise<PlayedPeer> {
    boots = 0
    synd = await LoneEngine.start()
    const before = synd.peer('b')
    before.connect()
    before.announce(toldFile('f', 'theirs'))
    await synd.pass(1_000)
    before.hangUp()
    synd.hands.write('f', 'ours')
    await synd.pass(20_000)
    expect(compareVectors(toldFile('f', 'theirs')[0].version, fileAt('f').version)).toBe('behind')
    const b = await powerLoss(lose)
    b.has('f', 'theirs')
    b.connect()
    await synd.pass(60_000)
    return b
  }

  test('rule 23: is decided anew: a version that ours had covered beats the tombstone that is left', async () => {
    await givenUp(lacks('f'))
    expect(synd.tree).toEqual(['f: f 644 theirs'])
    expect(fileAt('f').version.get(toldFile('f', 'theirs')[0].contentDot.peer)).toBe(1)
  })

  test('rule 23: is decided anew: a version that ours had covered wins over what is left, which is kept beside it', async () => {
    await givenUp((disk) => {
      holds('f', 'ou')(disk)
      disk.tree().file('f').mtimeNs -= 1n
    })
    expect(synd.tree).toEqual([
      'f: f 644 theirs',
      expect.stringMatching(/^f\.sync-conflict-.*: f 644 ou$/),
    ])
  })
})

test('rule 23: what is not committed is not announced', async () => {
  const b = await started()
  const { store } = synd.host
  const commit = store.commit.bind(store)
  store.commit = (transaction: Transaction) => {
    if (transaction.records !== undefined) throw new SyndError('no-space', 'no room for the index')
    commit(transaction)
  }
  synd.hands.write('g', 'new')
  await synd.pass(30_000)
  expect(told(b, 'g')).toEqual([])
  store.commit = commit
  await synd.pass(30_000)
  expect(told(b, 'g')).toEqual([entryAt('g')])
})
