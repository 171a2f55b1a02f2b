import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Entry } from '../../src/core/entry.ts'
import type { IndexRecord } from '../../src/core/index-record.ts'
import { compareVectors } from '../../src/core/version-vector.ts'
import { directory } from '../core/build.ts'
import type { DiskCall } from '../support/memory-disk-attached.ts'
import type { MemoryDisk } from '../support/memory-disk.ts'
import { reachable } from '../support/memory-journal.ts'
import type { MemoryStore } from '../support/memory-store.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { LoneEngine } from './lone-engine.ts'
import { path } from './parts.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** Rule 20: a volume that is not there, cannot be read, or is not as the index knew it. */

let synd: LoneEngine
/** The errno with which a call on the disk is refused. */
let refuse: (call: DiskCall) => string | null

const attach = { refuse: (call: DiskCall) => refuse(call) }

beforeEach(() => {
  refuse = () => null
})

afterEach(async () => {
  refuse = () => null
  await synd.stop()
})

/** We hold `f` and `d/g`, and b has them from us. */
async function started(isStateElsewhere = false): Promise<PlayedPeer> {
  synd = await LoneEngine.start({ attach, isStateElsewhere })
  const b = synd.peer('b')
  b.connect()
  await synd.pass(1_000)
  synd.hands.write('f', 'ours')
  synd.hands.mkdir('d')
  synd.hands.write('d/g', 'before')
  await synd.pass(10_000)
  b.acknowledge()
  await synd.pass(1_000)
  return b
}

function entryAt(at: string): Entry {
  const record = synd.host.store.get(path(at))
  if (record === null) throw new Error(`nothing is known of ${at}`)
  return record.entry
}

function contentAt(at: string): string | null {
  return synd.hands.read(at)
}

/** What a peer was told of a path. */
function told(by: PlayedPeer, at: string): Entry[] {
  return by.heard
    .flatMap(({ entries }) => entries)
    .map(({ entry }) => entry)
    .filter((entry) => entry.path === at)
}

function tombstones(by: PlayedPeer): Entry[] {
  return by.heard
    .flatMap(({ entries }) => entries)
    .map(({ entry }) => entry)
    .filter(({ kind }) => kind === 'tombstone')
}

const halted = 'error: halted: nothing is announced or applied'

describe.each([
  ['missing', () => synd.host.disk.setRootThere(false), () => synd.host.disk.setRootThere(true)],
  [
    'unreadable',
    () => void (refuse = ({ operation }) => (operation === 'stat-root' ? 'EIO' : null)),
    () => void (refuse = () => null),
  ],
  [
    'without its .synd',
    () => synd.hands.rename('.synd', 'aside'),
    () => synd.hands.rename('aside', '.synd'),
  ],
])('while the volume is %s', (_, lose, giveBack) => {
  /** Everything happens at once: something new, an edit, a delete, and something from b. */
  async function lost(): Promise<PlayedPeer> {
    const b = await started()
    lose()
    synd.hands.write('new', 'new')
    synd.hands.write('f', 'edited')
    synd.hands.remove('d/g')
    b.announce(toldFile('theirs', 'theirs'))
    await synd.pass(600_000)
    return b
  }

  test('rule 20: nothing is announced, nothing is applied', async () => {
    const b = await lost()
    expect(told(b, 'new')).toEqual([])
    expect(told(b, 'f')).toHaveLength(1)
    expect(tombstones(b)).toEqual([])
    expect(entryAt('d/g').kind).toBe('file')
    expect(synd.hands.read('theirs')).toBeNull()
    expect(synd.host.store.get(path('theirs'))).toBeNull()
    expect(b.appliedUpTo).toBe(0)
    expect(synd.status.inSync).toBe(false)
    expect(synd.engine.readiness().ready).toBe(false)
    expect(synd.observer.lines.filter((line) => line === halted)).toHaveLength(1)
  })

  test('rule 20: what is held is still served', async () => {
    await lost()
    expect(synd.engine.servable(path('f'))?.entry).toEqual(entryAt('f'))
  })

  test('rule 20: everything goes on when it is back', async () => {
    const b = await lost()
    giveBack()
    await synd.pass(10_000)
    expect(synd.tree).toEqual([
      'd: d 755',
      'f: f 644 edited',
      'new: f 644 new',
      'theirs: f 644 theirs',
    ])
    expect(told(b, 'new')).toEqual([entryAt('new')])
    expect(told(b, 'f').at(-1)).toEqual(entryAt('f'))
    expect(tombstones(b).map((entry) => entry.path)).toEqual(['d/g'])
    expect(b.appliedUpTo).toBe(1)
    expect(synd.engine.readiness().ready).toBe(true)
  })
})

describe('a foreign volume', () => {
  test('rule 20: approves no delete of what it does not have, and says why', async () => {
    const b = await started()
    for (let n = 0; n < 200; n++) synd.hands.write(`d/${n}`, `${n}`)
    await synd.pass(10_000)
    synd.deafen(true)
    for (let n = 0; n < 200; n++) synd.hands.remove(`d/${n}`)
    await synd.pass(400_000)
    expect(synd.status.volume.heldDeletes).toBe(200)
    for (let n = 0; n < 100; n++) synd.hands.write(`d/${n}`, `${n}`)
    synd.host.disk.replaceRoot()
    await expect(synd.engine.approveDeletes()).rejects.toThrow(/another directory/)
    expect(tombstones(b)).toEqual([])
    expect(synd.status.volume.heldDeletes).toBe(200)
  })

  test('rule 20: does not end joining, nor announce what was found before it', async () => {
    synd = await LoneEngine.start({ peers: ['b'] })
    synd.hands.write('f', 'ours')
    await synd.pass(10_000)
    expect(synd.host.store.identity().isJoined).toBe(false)
    expect(entryAt('f').version.size).toBe(0)
    synd.host.disk.replaceRoot()
    await synd.pass(120_000)
    expect(synd.host.store.identity().isJoined).toBe(false)
    expect(entryAt('f').version.size).toBe(0)
  })

  test('rule 20: an empty directory in its place deletes nothing, and gets nothing', async () => {
    const b = await started()
    synd.host.disk.replaceRoot()
    synd.hands.write('f', 'of somebody else')
    b.announce(toldFile('theirs', 'theirs'))
    await synd.pass(600_000)
    expect(synd.tree).toEqual(['f: f 644 of somebody else'])
    expect(tombstones(b)).toEqual([])
    expect(told(b, 'f')).toHaveLength(1)
    expect(b.appliedUpTo).toBe(0)
    expect(synd.observer.lines).toContain(halted)
  })

  test('rule 20: that was emptied with its .synd deletes nothing', async () => {
    const b = await started()
    for (const name of ['.synd', 'f', 'd']) synd.hands.remove(name)
    await synd.pass(600_000)
    expect(tombstones(b)).toEqual([])
    expect(['f', 'd', 'd/g'].map((at) => entryAt(at).kind)).toEqual(['file', 'directory', 'file'])
    expect(synd.observer.lines).toContain(halted)
  })

  test('rule 20: whose .synd goes while something is looked at has nothing of it committed', async () => {
    const b = await started()
    refuse = ({ operation, path: at }) => {
      if (operation === 'read' && at === 'f') synd.hands.remove('.synd')
      return null
    }
    const known = entryAt('f')
    synd.hands.write('f', 'edited')
    await synd.pass(60_000)
    expect(entryAt('f')).toEqual(known)
    expect(told(b, 'f')).toHaveLength(1)
    expect(synd.observer.lines).toContain(halted)
  })

  test('rule 20: whose .synd goes while something is applied has nothing of it committed', async () => {
    const b = await started()
    refuse = ({ operation, path: at }) => {
      if (operation === 'sync-directory' && at === '') synd.hands.remove('.synd')
      return null
    }
    b.announce(toldFile('theirs', 'theirs'))
    await synd.pass(60_000)
    expect(synd.hands.read('theirs')).toBe('theirs')
    expect(synd.host.store.get(path('theirs'))).toBeNull()
    expect(b.appliedUpTo).toBe(0)
    expect(synd.status.problems.filter((problem) => problem.path === 'theirs')).toEqual([])
  })
})

describe('what cannot be read', () => {
  const unreadable = (at: string) => expect.objectContaining({ path: at, code: 'unreadable' })

  const refusals = [
    ['a directory that cannot be listed', 'd', 'EACCES', 'list', 'd'],
    ['a directory that cannot be looked at', 'd', 'EIO', 'lstat', 'd'],
    ['a file that cannot be looked at', 'd/g', 'EIO', 'lstat', 'd/g'],
  ] as const

  /** While it cannot be read the file goes, and no event tells of that. */
  function unseen(operation: string, at: string, errno: string): void {
    refuse = (call) => (call.operation === operation && call.path === at ? errno : null)
    synd.deafen(true)
    synd.hands.remove('d/g')
    synd.deafen(false)
  }

  test.each(refusals)(
    'rule 20: %s is not deleted, but a problem, until it can be read',
    async (_, listed, errno, operation, at) => {
      const b = await started()
      unseen(operation, at, errno)
      await synd.pass(1_000_000)
      expect(tombstones(b)).toEqual([])
      expect(entryAt('d/g').kind).toBe('file')
      if (at !== 'd/g') expect(synd.status.problems).toContainEqual(unreadable(listed))
      refuse = () => null
      await synd.pass(60_000)
      expect(tombstones(b).map((entry) => entry.path)).toEqual(['d/g'])
      expect(synd.status.problems).toEqual([])
    },
  )

  test.each(refusals)(
    'rule 20: %s is not deleted by the first scan of a start either',
    async (_, listed, errno, operation, at) => {
      await started()
      synd = await (async () => {
        const left = await synd.stop()
        refuse = (call) => (call.operation === operation && call.path === at ? errno : null)
        return LoneEngine.start({ attach }, left)
      })()
      const b = synd.peer('b')
      b.connect()
      await synd.pass(60_000)
      expect(tombstones(b)).toEqual([])
      expect(synd.status.problems).toContainEqual(unreadable(listed))
      expect(synd.status.inSync).toBe(false)
    },
  )

  test('rule 20: a file whose bytes cannot be read is no new version', async () => {
    const b = await started()
    refuse = ({ operation, path: at }) => (operation === 'read' && at === 'f' ? 'EACCES' : null)
    synd.hands.write('f', 'edited')
    await synd.pass(60_000)
    expect(told(b, 'f')).toHaveLength(1)
    expect(synd.status.problems).toContainEqual(unreadable('f'))
    refuse = () => null
    await synd.pass(60_000)
    expect(told(b, 'f').at(-1)).toEqual(entryAt('f'))
    expect(told(b, 'f')).toHaveLength(2)
    expect(synd.status.problems).toEqual([])
  })
})

describe('where another file system is mounted inside the volume', () => {
  /** Over `d`; what happens in it then is told by events or not. */
  async function mounted({ isTold }: { isTold: boolean }): Promise<PlayedPeer> {
    const b = await started()
    synd.deafen(true)
    synd.host.disk.mount('d')
    synd.deafen(!isTold)
    synd.hands.remove('d/g')
    synd.hands.write('d/mounted', 'not ours')
    synd.hands.mkdir('d/below')
    synd.deafen(false)
    return b
  }

  test.each([true, false])(
    'rule 20: nothing in it is deleted or new (told by events: %s)',
    async (isTold) => {
      const b = await mounted({ isTold })
      await synd.pass(1_000_000)
      expect(entryAt('d/g').kind).toBe('file')
      expect(tombstones(b)).toEqual([])
      expect([...told(b, 'd/mounted'), ...told(b, 'd/below')]).toEqual([])
      expect(synd.status.problems).toContainEqual(
        expect.objectContaining({ path: 'd', code: 'unreadable' }),
      )
      expect(synd.status.inSync).toBe(false)
    },
  )

  test('rule 20: nothing that a peer tells is put into it, or makes a delete of what is not to be seen', async () => {
    const b = await mounted({ isTold: false })
    const before = synd.hands.tree('d')
    const [edit, content] = toldFile('d/g', 'theirs')
    const version = new Map([...entryAt('d/g').version, ...edit.version])
    const other = { ...entryAt('d'), version, metadataDot: edit.metadataDot, mode: 0o700 }
    b.announce(other, [{ ...edit, version }, content], toldFile('d/h', 'theirs'))
    await synd.pass(60_000)
    expect(synd.hands.tree('d')).toEqual(before)
    expect(tombstones(b)).toEqual([])
    expect(b.appliedUpTo).toBe(0)
    expect(entryAt('d').mode).toBe(0o755)
    for (const at of ['d', 'd/g', 'd/h'])
      expect(synd.status.problems).toContainEqual(
        expect.objectContaining({ path: at, code: 'apply-failed' }),
      )
    expect(synd.transfer.pulls.length).toBeLessThan(100)
  })
})

/** The disk has another number by now, as after a reboot or on another machine. */
function renumber(disk: MemoryDisk, device: bigint): void {
  for (const inode of reachable(disk.tree().root)) if (inode.device === 100n) inode.device = device
}

describe('a volume whose device has another number since the last start', () => {
  test('rule 20: is the one that it was: nothing is unreadable, new or deleted', async () => {
    await started()
    const known = ['f', 'd', 'd/g'].map(entryAt)
    const left = await synd.stop()
    renumber(left.disk, 200n)
    synd = await LoneEngine.start({ attach }, left)
    await synd.pass(30_000)
    expect(synd.status.problems).not.toContainEqual(expect.objectContaining({ code: 'unreadable' }))
    expect(['f', 'd', 'd/g'].map(entryAt)).toEqual(known)
    synd.hands.remove('d/g')
    synd.hands.write('d/new', 'new')
    await synd.pass(10_000)
    expect(['d/g', 'd/new'].map((at) => entryAt(at).kind)).toEqual(['tombstone', 'file'])
  })

  test.each([
    ['was mounted inside it and is not any more', 300n, null],
    ['is mounted inside it since', null, 300n],
  ])('rule 20: and what %s keeps its entries', async (_, before, since) => {
    await started()
    const mount = (disk: MemoryDisk, device: bigint | null): void => {
      disk.tree().directory('d').device = device ?? 100n
      disk.tree().file('d/g').device = device ?? 100n
    }
    const first = await synd.stop()
    if (before !== null) first.store.commit({ records: mountedRecords(first.store, before) })
    renumber(first.disk, 200n)
    if (since !== null) mount(first.disk, since)
    first.disk.tree().directory('d').entries.delete('g')
    synd = await LoneEngine.start({ attach }, first)
    await synd.pass(60_000)
    expect(entryAt('d/g').kind).toBe('file')
    expect(synd.status.problems).toContainEqual(
      expect.objectContaining({ path: 'd', code: 'unreadable' }),
    )
  })
})

/** What the index says of `d` and what is in it, had another file system been mounted there. */
function mountedRecords(store: MemoryStore, device: bigint): IndexRecord[] {
  return ['d', 'd/g'].flatMap((at) => {
    const record = store.get(path(at))
    const observation = record?.observation ?? null
    if (record === null || observation === null) return []
    return { ...record, observation: { ...observation, device, inode: 2n } }
  })
}

/** The disk as it was before `f` and `d/g` were changed and `d/new` was made. */
async function backedUp(): Promise<{ b: PlayedPeer; backup: MemoryDisk }> {
  const b = await started(true)
  const backup = synd.host.disk.clone()
  synd.hands.write('d/g', 'after')
  synd.hands.write('d/new', 'new')
  await synd.pass(10_000)
  b.acknowledge()
  await synd.pass(1_000)
  return { b, backup }
}

type Left = Awaited<ReturnType<LoneEngine['stop']>>

/** The next life, on what is left and `disk`; the index is elsewhere. */
async function next(left: Left, disk: MemoryDisk = left.disk): Promise<PlayedPeer> {
  synd = await LoneEngine.start({ attach, isStateElsewhere: true }, { ...left, disk })
  return synd.peer('b')
}

describe('a volume that is put back after a kill, while the index is elsewhere', () => {
  test('rule 20: nothing that it lacks was deleted, and nothing that differs was edited', async () => {
    const { backup } = await backedUp()
    const known = ['d/g', 'd/new', 'f'].map(entryAt)
    const id = synd.status.peer.id
    const b = await next(await synd.kill(), backup)
    await synd.pass(600_000)
    expect(['d/g', 'd/new', 'f'].map(entryAt)).toEqual(known)
    expect(['d/g', 'd/new'].map((at) => synd.engine.servable(path(at)))).toEqual([null, null])
    expect(synd.engine.servable(path('f'))?.entry).toEqual(known[2])
    b.connect()
    await synd.pass(100)
    expect(tombstones(b)).toEqual([])
    expect(synd.status.peer.id).toBe(id)
    expect(synd.status.inSync).toBe(false)
  })

  test('rule 20: what it lacks and what is old in it is pulled again', async () => {
    const { backup } = await backedUp()
    const known = ['d/g', 'd/new'].map(entryAt)
    const b = await next(await synd.kill(), backup)
    b.has('d/g', 'after')
    b.has('d/new', 'new')
    b.connect()
    await synd.pass(60_000)
    expect(['d/g', 'd/new'].map(contentAt)).toEqual(['after', 'new'])
    expect(['d/g', 'd/new'].map(entryAt)).toEqual(known)
    expect(tombstones(b)).toEqual([])
  })

  test('rule 20: everything is looked at before anything of ours makes its directories look new', async () => {
    const { backup } = await backedUp()
    const known = entryAt('d/new')
    const b = await next(await synd.kill(), backup)
    b.has('d/g', 'after')
    b.has('d/new', 'new')
    b.connect()
    b.announce(directory({ path: 'd', version: 'b1', by: 'b1' }), toldFile('d/theirs', 'theirs'))
    await synd.pass(60_000)
    expect(['d/new', 'd/theirs'].map(contentAt)).toEqual(['new', 'theirs'])
    expect(entryAt('d/new')).toEqual(known)
    expect(tombstones(b)).toEqual([])
  })

  test('rule 20: what somebody deletes or edits in it then is a delete or an edit', async () => {
    const { backup } = await backedUp()
    const known = entryAt('d/g')
    const left = await synd.kill()
    memoryHands(backup).write('d/g', 'by hand')
    memoryHands(backup).remove('f')
    const b = await next(left, backup)
    b.connect()
    await synd.pass(60_000)
    expect(compareVectors(known.version, entryAt('d/g').version)).toBe('behind')
    expect(synd.hands.read('d/g')).toBe('by hand')
    expect(tombstones(b).map((entry) => entry.path)).toContain('f')
  })

  test('rule 20: what no peer has any more is given up as if it had never been ours', async () => {
    const { backup } = await backedUp()
    const known = entryAt('d/new')
    const b = await next(await synd.kill(), backup)
    b.connect()
    await synd.pass(60_000)
    const given = entryAt('d/new')
    expect(given).toMatchObject({ kind: 'tombstone', removedDigest: null })
    expect(compareVectors(known.version, given.version)).toBe('concurrent')
    expect(synd.hands.read('d/g')).toBe('before')
    expect(synd.status.problems).toEqual([])
  })
})

describe('a volume that lacks files with no trace of their going', () => {
  /** `d/new` is not there, and no time on the disk tells of it. */
  function lackNew(disk: MemoryDisk): MemoryDisk {
    disk.tree().directory('d').entries.delete('new')
    return disk
  }

  test('rule 20: after a clean end, under the same generation, they were deleted', async () => {
    await backedUp()
    const left = await synd.stop()
    const b = await next(left, lackNew(left.disk))
    b.connect()
    await synd.pass(60_000)
    expect(tombstones(b)).toMatchObject([{ path: 'd/new', removedKind: 'file' }])
  })

  test('rule 20: after a kill, with the index in the volume, they were deleted: both are put back together', async () => {
    await started()
    const left = await synd.kill()
    left.disk.tree().directory('d').entries.delete('g')
    synd = await LoneEngine.start({ attach }, left)
    const b = synd.peer('b')
    b.connect()
    await synd.pass(60_000)
    expect(tombstones(b)).toMatchObject([{ path: 'd/g', removedKind: 'file' }])
  })
})

describe('another generation of the volume than the index knows', () => {
  test.each([
    ['put back from the life before, after a clean end', () => synd.stop()],
    ['put back from the life before, after a kill', () => synd.kill()],
  ])('rule 20: %s: the peer joins anew, under a new id, and deletes nothing', async (_, end) => {
    const { backup } = await backedUp()
    const known = ['d', 'd/g', 'd/new', 'f'].map(entryAt)
    const id = synd.status.peer.id
    await next(await synd.stop())
    await synd.pass(30_000)
    expect(synd.status.peer.id).toBe(id)
    const b = await next(await end(), backup)
    expect(synd.status.peer.id).not.toBe(id)
    expect([...synd.host.store.all()]).toEqual([])
    b.connect()
    b.has('d/g', 'after')
    b.has('d/new', 'new')
    b.announce(...known)
    await synd.pass(60_000)
    expect(tombstones(b)).toEqual([])
    expect(['d/g', 'd/new', 'f'].map(contentAt)).toEqual(['after', 'new', 'ours'])
    expect(['d', 'd/g', 'd/new', 'f'].map(entryAt)).toEqual(known)
    expect(synd.tree).toContainEqual(expect.stringMatching(/^d\/g\.sync-conflict-.* before$/))
  })

  test('rule 20: in a copy of the volume, file by file, the peer joins anew', async () => {
    await backedUp()
    const id = synd.status.peer.id
    const left = await synd.stop()
    await next(left, left.disk.clone({ isCopied: true }))
    expect(synd.status.peer.id).not.toBe(id)
  })
})
