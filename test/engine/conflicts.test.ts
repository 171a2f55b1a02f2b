import { afterEach, describe, expect, test, vi } from 'vitest'
import { conflictCopyOf, conflictCopyPath } from '../../src/core/conflict.ts'
import { tombstoneOf } from '../../src/core/detect.ts'
import type { Entry, FileEntry } from '../../src/core/entry.ts'
import type { IndexRecord } from '../../src/core/index-record.ts'
import { covers, formatVector } from '../../src/core/version-vector.ts'
import { dot, vector } from '../core/build.ts'
import { LoneEngine } from './lone-engine.ts'
import { path } from './parts.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** Two wrote `f` without knowing of each other: we, and b. */

let synd: LoneEngine

afterEach(async () => {
  await synd.stop()
})

const later = Date.UTC(2040, 0, 1) * 1000
const earlier = Date.UTC(2000, 0, 1) * 1000

/** We hold `f` as `ours`, and b has it from us. */
async function started(): Promise<PlayedPeer> {
  synd = await LoneEngine.start()
  const b = synd.peer('b')
  b.connect()
  synd.hands.write('f', 'ours')
  await synd.pass(1_000)
  b.acknowledge()
  return b
}

function theirs(content: string, parts: Partial<FileEntry>): [Entry, string] {
  const [entry] = toldFile('f', content)
  if (entry.kind !== 'file') throw new Error('a file is told')
  return [{ ...entry, ...parts }, content]
}

function record(at: string): IndexRecord {
  const found = synd.host.store.get(path(at))
  if (found === null) throw new Error(`nothing is known of ${at}`)
  return found
}

function ours(): FileEntry {
  const { entry } = record('f')
  if (entry.kind !== 'file') throw new Error('f is no file')
  return entry
}

describe('rule 4: who holds the losing bytes resolves', () => {
  test('the copy comes first, under a lower sequence, and is in the index before the winner', async () => {
    const b = await started()
    const loser = ours()
    const copyAt = conflictCopyPath(loser)
    const commit = vi.spyOn(synd.host.store, 'commit')
    b.announce(theirs('theirs', { mtimeUs: later }))
    await synd.pass(1_000)
    expect(synd.tree).toEqual(['f: f 644 theirs', `${copyAt}: f 644 ours`])
    const committed = commit.mock.calls.map(([{ records = [] }]) =>
      records.map(({ entry }) => entry.path),
    )
    // What we hold is told once more first: whoever acknowledged it and has not seen it has lost it since.
    expect(committed.filter((paths) => paths.length > 0)).toEqual([['f'], [copyAt], ['f']])
    expect(record(copyAt).sequence).toBeLessThan(record('f').sequence)
    expect(covers(ours().version, loser.version)).toBe(true)
  })

  test('the winner waits, and covers nothing of the loser, until it has the copy', async () => {
    const b = await started()
    const winner = ours()
    const [loser, content] = theirs('theirs', { mtimeUs: earlier })
    b.announce([loser, content])
    await synd.pass(600_000)
    expect(synd.tree).toEqual(['f: f 644 ours'])
    expect(ours()).toEqual(winner)
    expect(synd.status.inSync).toBe(false)
    if (loser.kind !== 'file') throw new Error('a file is told')
    b.announce([conflictCopyOf(loser), content])
    await synd.pass(10_000)
    expect(synd.tree).toEqual(['f: f 644 ours', `${conflictCopyPath(loser)}: f 644 theirs`])
    expect(covers(ours().version, loser.version)).toBe(true)
  })
})

test('rule 6: other content under our own version is a conflict, and counted', async () => {
  const b = await started()
  const { version, contentDot } = ours()
  b.announce(theirs('theirs', { version, contentDot, metadataDot: contentDot, mtimeUs: later }))
  await synd.pass(1_000)
  expect(synd.tree).toEqual([
    'f: f 644 theirs',
    expect.stringMatching(/^f\.sync-conflict-.*: f 644 ours$/),
  ])
  expect(synd.observer.lines).toContain('rejected reconcile version-reuse')
})

test('rule 6: it is counted, once, where nothing of ours needs a copy too', async () => {
  const b = await started()
  synd.hands.remove('f')
  await synd.pass(10_000)
  const { version, contentDot } = record('f').entry
  b.announce(theirs('theirs', { version, contentDot, metadataDot: contentDot, mtimeUs: later }))
  await synd.pass(10_000)
  expect(synd.tree).toEqual(['f: f 644 theirs'])
  const counted = synd.observer.lines.filter((line) => line.includes('version-reuse'))
  expect(counted).toEqual(['rejected reconcile version-reuse'])
})

test('rule 7: a copy that somebody has deleted already is not made again', async () => {
  const b = await started()
  const copy = conflictCopyOf(ours())
  b.announce(
    tombstoneOf(copy, { dot: dot('c9'), deletedUs: later }),
    theirs('theirs', { mtimeUs: later }),
  )
  await synd.pass(10_000)
  expect(synd.tree).toEqual(['f: f 644 theirs'])
  expect(record(copy.path).entry.kind).toBe('tombstone')
})

test('rule 7: a copy whose name has just been taken on the disk gets another, and leaves no stage', async () => {
  const b = await started()
  const copyAt = conflictCopyPath(ours())
  synd.deafen(true)
  synd.hands.mkdir(copyAt)
  synd.deafen(false)
  b.announce(theirs('theirs', { mtimeUs: later }))
  await synd.pass(10_000)
  expect(synd.tree).toEqual([
    'f: f 644 theirs',
    `${copyAt}: d 755`,
    expect.stringMatching(/^f\.sync-conflict-.*: f 644 ours$/),
  ])
  expect(synd.hands.tree('.synd/staging').size).toBe(0)
})

test('rule 8: the fourth conflict in a row waits, is listed, and is resolved in the end', async () => {
  const b = await started()
  for (let n = 1; n <= 4; n++) {
    const by = dot(`b${n}`)
    const version = vector(`b${n}`)
    b.announce(
      theirs(`theirs ${n}`, { version, contentDot: by, metadataDot: by, mtimeUs: later + n }),
    )
    await synd.pass(300)
    if (n < 4) synd.hands.write('f', `ours ${n}`)
    await synd.pass(300)
  }
  const contended = { path: 'f', code: 'contended' }
  expect(synd.hands.read('f')).toBe('ours 3')
  expect(synd.status.problems).toMatchObject([contended])
  await synd.pass(5_000)
  expect(synd.hands.read('f')).toBe('theirs 4')
  expect(synd.status.problems).toEqual([])
  expect(synd.tree).toHaveLength(5)
})

test('rule 10: what is found to be exactly what a peer announced takes that version', async () => {
  const b = await started()
  const [entry] = toldFile('g', 'theirs')
  b.announce(entry)
  await synd.pass(1_000)
  expect(synd.tree).toEqual(['f: f 644 ours'])
  synd.hands.write('g', 'theirs')
  synd.hands.setMtime('g', entry.mtimeUs)
  await synd.pass(1_000)
  expect(record('g').entry).toEqual(entry)
})

describe('rule 16: two tables', () => {
  test('what a peer announced to us is not announced back, and not before it is applied', async () => {
    const b = await started()
    const c = synd.peer('c')
    synd.configure(['b', 'c'])
    c.connect()
    const [entry, content] = toldFile('g', 'theirs')
    b.announce(entry)
    await synd.pass(30_000)
    expect(toldOf(c, 'g')).toEqual([])
    b.has('g', content)
    b.announce(entry)
    await synd.pass(1_000)
    expect(toldOf(c, 'g')).toEqual([formatVector(entry.version)])
    expect(toldOf(b, 'g')).toEqual([])
  })

  test('a source that holds something else by now is no problem of the path', async () => {
    const b = await started()
    const [entry] = toldFile('g', 'theirs')
    b.announce(entry)
    b.has('g', 'something else')
    await synd.pass(10_000)
    expect(synd.transfer.pulls).toContain('g from b')
    expect(synd.status.problems).toEqual([])
    expect(synd.tree).toEqual(['f: f 644 ours'])
    expect(synd.observer.lines.filter((line) => line.startsWith('transfer failed'))).toEqual([])
  })
})

test('rule 21: a tombstone is kept and counted, however long ago the file was deleted', async () => {
  const b = await started()
  synd.hands.remove('f')
  await synd.pass(1_000)
  const tombstone = record('f').entry
  expect(tombstone.kind).toBe('tombstone')
  b.hangUp()
  await synd.pass(3 * 3_600_000)
  synd = await LoneEngine.start({}, await synd.stop())
  await synd.pass(60_000)
  expect(record('f').entry).toEqual(tombstone)
  expect(synd.status.volume.tombstones).toBe(1)
})

/** The versions of a path that a peer was told. */
function toldOf(b: PlayedPeer, at: string): string[] {
  return b.heard
    .flatMap(({ entries }) => entries)
    .filter(({ entry }) => entry.path === at)
    .map(({ entry }) => formatVector(entry.version))
}
