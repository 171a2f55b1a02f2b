import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Entry } from '../../src/core/entry.ts'
import { directory, tombstone } from '../core/build.ts'
import { LoneEngine } from './lone-engine.ts'
import { path, sha256 } from './parts.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** An engine that is receive-only, to which b has told `x` and `d/y`; rules M5 to M8. */

let synd: LoneEngine
let b: PlayedPeer

beforeEach(async () => {
  await started()
  b.announce(
    toldFile('x', 'one'),
    directory({ path: 'd', version: 'b2', by: 'b2', mode: 0o755 }),
    toldFile('d/y', 'why', 'b3'),
  )
  b.settle()
  await synd.pass(5_000)
  b.acknowledge()
  await synd.pass(1_000)
  expect(synd.tree).toEqual(['d: d 755', 'd/y: f 644 why', 'x: f 644 one'])
})

afterEach(async () => {
  expect(stamped()).toEqual([])
  await synd.stop()
})

async function started(host?: Parameters<typeof LoneEngine.start>[1]): Promise<void> {
  synd = await LoneEngine.start({ mode: 'receive-only' }, host)
  b = synd.peer('b')
  b.connect()
  await synd.pass(1_000)
}

async function restarted(): Promise<void> {
  await started(await synd.stop())
}

/** Everything announced whose version is of the engine's own making. */
function stamped(): string[] {
  const entries = b.heard.flatMap((one) => one.entries).map(({ entry }) => entry)
  const mine = entries.filter(({ version }) => version.has(synd.host.store.identity().peerId))
  return mine.map((entry) => entry.path)
}

function localChanges(): string[] {
  return synd.status.problems
    .filter(({ code }) => code === 'local-change')
    .map(({ path: name, message }) => `${name} ${message.split(' ')[0]}`)
    .toSorted()
}

/** The trees without the digits that a conflict copy has in its name. */
function tree(): string[] {
  return synd.tree.map((line) => line.replace(/\.sync-conflict-[-0-9a-f]+/, '.COPY')).toSorted()
}

function gone(name: string, version: string, removed: string): Entry {
  const dead = tombstone({ path: name, version, by: version.split(' ')[0] ?? '' })
  return { ...dead, removedDigest: sha256(removed) }
}

test('what it received is in sync and relayed', async () => {
  expect(synd.status.inSync).toBe(true)
  const c = synd.peer('c')
  synd.configure(['b', 'c'])
  c.connect()
  await synd.pass(1_000)
  const told = c.heard.flatMap(({ entries }) => entries).map(({ entry }) => entry.path)
  expect(told.toSorted()).toEqual(['d', 'd/y', 'x'])
})

describe('a local change', () => {
  test.each([
    ['a file made here', () => synd.hands.write('mine', 'mine'), ['mine made']],
    ['a file changed here', () => synd.hands.write('x', 'mine'), ['x changed']],
    ['a mode changed here', () => synd.hands.chmod('x', 0o600), ['x changed']],
    ['a file deleted here', () => synd.hands.remove('x'), ['x deleted']],
    ['a directory deleted here', () => synd.hands.remove('d'), ['d deleted', 'd/y deleted']],
    [
      'a directory made here, with what is in it',
      () => {
        synd.hands.mkdir('m')
        synd.hands.write('m/n', 'mine')
      },
      ['m made', 'm/n made'],
    ],
    ['a file that took the name of another', () => synd.hands.replace('x', 'mine'), ['x changed']],
    ['a rename', () => synd.hands.rename('x', 'z'), ['x deleted', 'z made']],
  ])('is listed and counted, and told to nobody: %s (rules M5 and M8)', async (_, act, listed) => {
    const [before, digest] = [b.heard.length, synd.status.volume.treeDigest]
    act()
    await synd.pass(10_000)
    expect(localChanges()).toEqual(listed)
    expect(synd.status.volume).toMatchObject({ diverged: listed.length, state: 'idle' })
    expect(synd.status.volume.treeDigest).not.toBe(digest)
    expect(synd.status.inSync).toBe(false)
    expect(b.heard.slice(before).flatMap(({ entries }) => entries)).toEqual([])
    expect(b.replies.at(-1)).toEqual({ kind: 'diverged', paths: listed.length })
  })

  test('is the same after a restart (rule M5)', async () => {
    synd.hands.write('x', 'mine')
    synd.hands.remove('d')
    synd.hands.write('mine', 'mine')
    await synd.pass(5_000)
    await restarted()
    await synd.pass(5_000)
    expect(localChanges()).toEqual(['d deleted', 'd/y deleted', 'mine made', 'x changed'])
  })

  test('that is undone is none (rule M5)', async () => {
    const digest = synd.status.volume.treeDigest
    synd.hands.rename('x', 'z')
    synd.hands.mkdir('m')
    synd.hands.write('m/n', 'mine')
    await synd.pass(5_000)
    expect(synd.status.volume.diverged).toBe(4)
    synd.hands.rename('z', 'x')
    synd.hands.remove('m')
    await synd.pass(5_000)
    expect(localChanges()).toEqual([])
    expect(synd.status.volume.treeDigest).toBe(digest)
    b.settle()
    await synd.pass(1_000)
    expect(synd.status.inSync).toBe(true)
    expect(b.replies.filter(({ kind }) => kind === 'diverged').at(-1)).toEqual({
      kind: 'diverged',
      paths: 0,
    })
  })

  test('is not served, nor is what it stands for (rule M5)', async () => {
    expect(synd.engine.servable(path('x'))).not.toBeNull()
    synd.hands.write('x', 'mine')
    synd.hands.write('mine', 'mine')
    await synd.pass(5_000)
    expect(synd.engine.servable(path('x'))).toBeNull()
    expect(synd.engine.servable(path('mine'))).toBeNull()
  })

  test('is never a held delete, even where nothing is left (rule M5)', async () => {
    for (let n = 0; n < 20; n++) b.announce(toldFile(`${n}`, `${n}`, `b${n + 10}`))
    await synd.pass(5_000)
    for (let n = 0; n < 20; n++) synd.hands.remove(`${n}`)
    for (const name of ['x', 'd']) synd.hands.remove(name)
    await synd.pass(10_000)
    expect(synd.status.volume).toMatchObject({ heldDeletes: 0, diverged: 23 })
  })

  test('is listed by name up to a thousand, and counted beyond (rule M5)', async () => {
    for (let n = 0; n < 1_010; n++) synd.hands.write(`mine-${n}`, 'mine')
    await synd.pass(20_000)
    expect(synd.status.volume.diverged).toBe(1_010)
    expect(localChanges()).toHaveLength(1_000)
  })
})

describe('the next version from a peer (rule M6)', () => {
  test('replaces a changed file, whose bytes stay as a copy', async () => {
    synd.hands.write('x', 'mine')
    await synd.pass(5_000)
    b.announce(toldFile('x', 'two', 'b4'))
    await synd.pass(5_000)
    expect(tree()).toEqual(['d/y: f 644 why', 'd: d 755', 'x.COPY: f 644 mine', 'x: f 644 two'])
    expect(synd.status.volume.diverged).toBe(1)
    expect(synd.status.conflicts).toHaveLength(1)
    expect(b.appliedUpTo).toBe(4)
    await restarted()
    await synd.pass(10_000)
    expect(synd.status.conflicts).toHaveLength(1)
    expect(synd.status.volume.diverged).toBe(1)
  })

  test('adopts what is the same already', async () => {
    synd.hands.write('x', 'two')
    await synd.pass(5_000)
    b.announce(toldFile('x', 'two', 'b4'))
    await synd.pass(5_000)
    expect(tree()).toEqual(['d/y: f 644 why', 'd: d 755', 'x: f 644 two'])
    expect(synd.transfer.pulls).toHaveLength(2)
    expect(synd.status.volume.diverged).toBe(0)
  })

  test('replaces a file made here', async () => {
    synd.hands.write('new', 'mine')
    await synd.pass(5_000)
    b.announce(toldFile('new', 'theirs', 'b4'))
    await synd.pass(5_000)
    expect(tree()).toContain('new: f 644 theirs')
    expect(tree()).toContain('new.COPY: f 644 mine')
  })

  test('brings back what was deleted, with the directory that it is in', async () => {
    synd.hands.remove('d')
    await synd.pass(5_000)
    b.announce(toldFile('d/z', 'zet', 'b4'))
    await synd.pass(15_000)
    expect(tree()).toEqual(['d/z: f 644 zet', 'd: d 755', 'x: f 644 one'])
    expect(localChanges()).toEqual(['d/y deleted'])
    b.announce(toldFile('d/y', 'two', 'b5'))
    await synd.pass(5_000)
    expect(tree()).toContain('d/y: f 644 two')
    expect(synd.status.volume.diverged).toBe(0)
  })

  test('brings back a directory that became a file, which stays as a copy', async () => {
    synd.hands.remove('d')
    synd.hands.write('d', 'mine')
    await synd.pass(5_000)
    b.announce(toldFile('d/z', 'zet', 'b4'))
    await synd.pass(15_000)
    expect(tree()).toEqual(['d.COPY: f 644 mine', 'd/z: f 644 zet', 'd: d 755', 'x: f 644 one'])
  })

  test('takes away what was changed and is deleted, and keeps the bytes', async () => {
    synd.hands.write('x', 'mine')
    await synd.pass(5_000)
    b.announce(gone('x', 'b4', 'one'))
    await synd.pass(5_000)
    expect(tree()).toEqual(['d/y: f 644 why', 'd: d 755', 'x.COPY: f 644 mine'])
  })

  test('takes nothing of what was made here in place of what is deleted since long', async () => {
    b.announce(gone('x', 'b4', 'one'))
    await synd.pass(5_000)
    synd.hands.write('x', 'mine')
    await synd.pass(5_000)
    b.announce(gone('x', 'b4 c5', 'one'), gone('never', 'b6', 'else'))
    synd.hands.write('never', 'mine')
    await synd.pass(5_000)
    expect(tree()).toContain('x: f 644 mine')
    expect(tree()).toContain('never: f 644 mine')
    expect(localChanges()).toEqual(['never made', 'x made'])
  })

  test('takes a directory only when nothing of this host is in it', async () => {
    synd.hands.write('d/mine', 'mine')
    await synd.pass(5_000)
    const dead = tombstone({ path: 'd', version: 'b5', by: 'b5' })
    b.announce(gone('d/y', 'b4', 'why'), {
      ...dead,
      removedKind: 'directory',
      removedDigest: null,
    })
    await synd.pass(20_000)
    expect(tree()).toEqual(['d/mine: f 644 mine', 'd: d 755', 'x: f 644 one'])
    expect(localChanges()).toEqual(['d made', 'd/mine made'])
    expect(b.appliedUpTo).toBe(5)
  })

  test('waits where a directory of this host with something in it has its name', async () => {
    synd.hands.mkdir('p')
    synd.hands.write('p/mine', 'mine')
    await synd.pass(5_000)
    b.announce(toldFile('p', 'theirs', 'b4'))
    await synd.pass(60_000)
    expect(tree()).toContain('p/mine: f 644 mine')
    expect(b.appliedUpTo).toBe(3)
    synd.hands.remove('p/mine')
    await synd.pass(60_000)
    expect(tree()).toContain('p: f 644 theirs')
    expect(b.appliedUpTo).toBe(4)
  })
})

test('synd reject takes everything back, and keeps the bytes (rule M6)', async () => {
  synd.hands.write('x', 'mine')
  synd.hands.remove('d')
  synd.hands.write('mine', 'mine')
  await synd.pass(5_000)
  b.has('x', 'one')
  const rejected = synd.engine.rejectDeletes()
  await synd.pass(20_000)
  expect(await rejected).toBe(3)
  expect(tree()).toEqual([
    'd/y: f 644 why',
    'd: d 755',
    'mine: f 644 mine',
    'x.COPY: f 644 mine',
    'x: f 644 one',
  ])
  expect(localChanges().map((line) => line.split(' ')[1])).toEqual(['made', 'made'])
})

describe('what it finds while joining', () => {
  test('is adopted where it is the same, replaced where it is not, and else a local change', async () => {
    synd.hands.write('same', 'same')
    synd.hands.write('other', 'mine')
    synd.hands.write('mine', 'mine')
    synd.hands.write('stale', 'stale')
    await restarted()
    b.announce(
      toldFile('same', 'same', 'b4'),
      toldFile('other', 'theirs', 'b5'),
      gone('stale', 'b6', 'stale'),
    )
    await synd.pass(10_000)
    expect(tree()).toEqual([
      'd/y: f 644 why',
      'd: d 755',
      'mine: f 644 mine',
      'other.COPY: f 644 mine',
      'other: f 644 theirs',
      'same: f 644 same',
      'x: f 644 one',
    ])
    expect(synd.status.volume.diverged).toBe(2)
  })
})

describe('a conflict of others (rule M7)', () => {
  const [mine, theirs] = [toldFile('x', 'later', 'b4'), toldFile('x', 'other', 'c1')]
  /** The winner is the later. */
  function at(told: readonly [Entry, string], mtimeUs: number): [Entry, string] {
    return [{ ...told[0], mtimeUs }, told[1]]
  }

  test('ends with the winner as announced, and a copy that is adopted when somebody announces it', async () => {
    const c = synd.peer('c')
    synd.configure(['b', 'c'])
    c.connect()
    b.announce(at(mine, 5_000_000))
    await synd.pass(5_000)
    c.announce(at(theirs, 9_000_000))
    await synd.pass(5_000)
    expect(tree()).toContain('x: f 644 other')
    expect(tree()).toContain('x.COPY: f 644 later')
    expect(synd.status.volume.diverged).toBe(1)
    const told = b.heard.flatMap(({ entries }) => entries).map(({ entry }) => entry)
    expect([...(told.findLast((one) => one.path === 'x')?.version.keys() ?? [])]).toHaveLength(1)
    const [entry] = at(mine, 5_000_000)
    const name = path(synd.status.conflicts[0] ?? '')
    b.announce([{ ...entry, path: name, metadataDot: entry.contentDot }, 'later'])
    const [winner] = at(theirs, 9_000_000)
    b.announce([{ ...winner, version: new Map([...winner.version, ...entry.version]) }, 'other'])
    b.settle()
    await synd.pass(5_000)
    expect(synd.status.volume.diverged).toBe(0)
    expect(synd.status.conflicts).toHaveLength(1)
    expect(b.appliedUpTo).toBe(6)
  })

  test('waits where what it holds wins', async () => {
    const c = synd.peer('c')
    synd.configure(['b', 'c'])
    c.connect()
    b.announce(at(mine, 9_000_000))
    await synd.pass(5_000)
    c.announce(at(theirs, 5_000_000))
    await synd.pass(20_000)
    expect(tree()).toEqual(['d/y: f 644 why', 'd: d 755', 'x: f 644 later'])
    expect(c.appliedUpTo).toBe(0)
  })
})
