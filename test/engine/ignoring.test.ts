import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Entry } from '../../src/core/entry.ts'
import { directory, file, tombstone } from '../core/build.ts'
import type { AttachOptions } from '../support/memory-disk-attached.ts'
import { LoneEngine } from './lone-engine.ts'
import { path, sha256 } from './parts.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** Rule 14, as one host with a peer sees it. */

let synd: LoneEngine
let b: PlayedPeer

beforeEach(async () => start())

afterEach(async () => {
  await synd.stop()
})

type Told = readonly (Entry | readonly [Entry, string])[]

async function start(
  attach: AttachOptions = {},
  host?: Parameters<typeof LoneEngine.start>[1],
  ...told: Told
) {
  synd = await LoneEngine.start({ attach }, host)
  b = synd.peer('b')
  b.connect()
  b.announce(...told)
  await synd.pass(1_000)
}

async function restart(): Promise<void> {
  await start({}, await synd.stop())
}

/** Writes `.syndignore`; b, who is asked to say everything anew, says what it is given. */
async function ignore(text: string | null, ...told: Told) {
  if (text === null) synd.hands.remove('.syndignore')
  else synd.hands.replace('.syndignore', text)
  await synd.pass(1_000)
  b.dialIn()
  b.announce(...told)
  await synd.pass(3_000)
}

function heardSince(from: number): string[] {
  const entries = b.heard.slice(from).flatMap((announcement) => announcement.entries)
  return entries.map(({ entry }) => `${entry.kind === 'tombstone' ? '-' : '+'}${entry.path}`)
}

/** Everything that was not announced to b up to here. */
async function heardWhile(deed: () => Promise<void>): Promise<string[]> {
  const from = b.heard.length
  await deed()
  return heardSince(from)
}

const problems = (): string[] =>
  synd.status.problems.map(({ code, path: at }) => `${code} ${at ?? ''}`)

describe('rule 14: what is ignored', () => {
  test('rule 14: is not announced, not counted, and is stayed away from on the disk', async () => {
    const heard = await heardWhile(async () => {
      await ignore('*.log\ncache/\n')
      synd.hands.mkdir('cache')
      synd.hands.write('cache/x', 'x')
      synd.hands.write('a.log', 'log')
      synd.hands.write('a.txt', 'text')
      await synd.pass(1_000)
    })
    expect(heard).toEqual(['+.syndignore', '+a.txt'])
    expect(synd.status.volume).toMatchObject({ files: 2, directories: 0 })
    expect(synd.hands.tree().has('cache/x')).toBe(true)
  })

  test('rule 14: is counted in the status by a full scan, a directory as one', async () => {
    await ignore('*.log\ncache/\n')
    synd.hands.mkdir('cache')
    for (const name of ['cache/x', 'cache/y', 'a.log']) synd.hands.write(name, name)
    await synd.pass(400_000)
    expect(synd.status.volume.ignored).toBe(2)
  })

  test('rule 14: can never be the file that says so, whatever its lines say', async () => {
    const heard = await heardWhile(async () => ignore('*\n.syndignore\n/.syndignore\n'))
    expect(heard).toEqual(['+.syndignore'])
    const again = await heardWhile(async () => ignore('*\n!a\n'))
    expect(again).toEqual(['+.syndignore'])
  })

  test('rule 14: is said by the file in the root alone', async () => {
    const heard = await heardWhile(async () => {
      synd.hands.mkdir('d')
      synd.hands.write('d/.syndignore', '*\n')
      synd.hands.write('d/x', 'x')
      await synd.pass(3_000)
    })
    expect(heard).toEqual(['+d', '+d/.syndignore', '+d/x'])
  })

  test('rule 14: is nothing where a link or a directory has the name', async () => {
    synd.hands.symlink('elsewhere', '.syndignore')
    synd.hands.write('a', 'a')
    await synd.pass(3_000)
    expect(heardSince(0)).toEqual(expect.arrayContaining(['+.syndignore', '+a']))
  })

  test('rule 14: leaves the index without a tombstone, and nobody is told', async () => {
    synd.hands.mkdir('d')
    synd.hands.write('d/x', 'x')
    synd.hands.write('y', 'y')
    await synd.pass(1_000)
    const heard = await heardWhile(async () => {
      await ignore('d\n')
      synd.hands.remove('d')
      await synd.pass(3_000)
    })
    expect(heard).toEqual(['+.syndignore'])
    expect(synd.host.store.get(path('d/x'))).toBeNull()
    expect(synd.status.volume).toMatchObject({ files: 2, directories: 0, tombstones: 0 })
    b.acknowledge()
    b.settle()
    await synd.pass(100)
    expect(synd.status.inSync).toBe(true)
  })

  test('rule 14: leaves the index at once when a peer sends the file, before the watcher tells', async () => {
    synd.hands.write('x', 'x')
    await synd.pass(1_000)
    synd.deafen(true)
    b.announce(toldFile('.syndignore', 'x\n'))
    await synd.pass(300)
    expect(synd.hands.read('.syndignore')).toBe('x\n')
    expect(synd.host.store.get(path('x'))).toBeNull()
    expect(synd.hands.read('x')).toBe('x')
  })

  test('rule 14: is not served', async () => {
    synd.hands.write('x', 'x')
    await synd.pass(1_000)
    expect(synd.engine.servable(path('x'))).not.toBeNull()
    await ignore('x\n')
    expect(synd.engine.servable(path('x'))).toBeNull()
  })

  test('rule 14: is ignored at the first look after a start too, though it was changed while nothing ran', async () => {
    synd.hands.write('x', 'x')
    await synd.pass(1_000)
    const left = await synd.stop()
    synd.hands.write('.syndignore', 'x\n')
    synd.hands.remove('x')
    await start({}, left)
    await synd.pass(3_000)
    expect(heardSince(0)).not.toContain('-x')
    expect(synd.host.store.get(path('x'))).toBeNull()
  })

  test('rule 14: ends what was listed of it, and the delete that was held', async () => {
    for (let n = 0; n < 20; n++) synd.hands.write(`f${n}`, `${n}`)
    await synd.pass(3_000)
    for (let n = 0; n < 20; n++) synd.hands.remove(`f${n}`)
    await synd.pass(3_000)
    expect(synd.status.volume.heldDeletes).toBe(20)
    await ignore('f*\n')
    expect(synd.status.volume.heldDeletes).toBe(0)
    expect(problems()).toEqual([])
    b.acknowledge()
    b.settle()
    await synd.pass(100)
    expect(synd.status.inSync).toBe(true)
  })

  test('rule 14: is nothing that anybody waits for, though its announcement was under way', async () => {
    await ignore('nothing\n')
    b.acknowledge()
    synd.hands.write('x', 'x')
    await synd.pass(100)
    expect(synd.status.peers[0]?.pendingChanges).toBe(1)
    synd.hands.replace('.syndignore', 'x\n')
    await synd.pass(50)
    expect(synd.host.store.get(path('x'))).toBeNull()
    await synd.pass(1_000)
    // Only of the file itself.
    expect(synd.status.peers[0]?.pendingChanges).toBe(1)
  })

  test('rule 14: is no problem, whatever it is', async () => {
    const left = await synd.stop()
    synd.hands.write('.syndignore', 'f\n')
    synd.hands.mkdir('f')
    synd.hands.write('f/x', 'x')
    await start(
      {
        refuse: ({ operation, path: at }) => (operation === 'list' && at === 'f' ? 'EACCES' : null),
      },
      left,
    )
    await synd.pass(1_000)
    expect(problems()).toEqual([])
  })

  test('rule 14: and a name that is no UTF-8 is matched byte by byte', async () => {
    const heard = await heardWhile(async () => {
      await ignore('\xff*\n')
      synd.hands.write('\xffx', 'x')
      synd.hands.write('\xfex', 'x')
      await synd.pass(1_000)
    })
    expect(heard).toEqual(['+.syndignore', '+\xfex'])
  })
})

describe('rule 14: what peers announce of what is ignored', () => {
  test('rule 14: is acknowledged as not wanted, is not pulled, and everybody is in sync', async () => {
    await ignore('*.log\ncache/\n')
    b.acknowledge()
    b.announce(
      toldFile('a.log', 'log'),
      directory({ path: 'cache', version: 'b1', by: 'b1' }),
      toldFile('cache/x', 'x'),
      tombstone({ path: 'old.log', version: 'b2', by: 'b2' }),
    )
    await synd.pass(1_000)
    expect(synd.transfer.pulls).toEqual([])
    expect(synd.tree.filter((line) => !line.startsWith('.syndignore'))).toEqual([])
    const outcomes = b.replies.flatMap((reply) =>
      reply.kind === 'acknowledgement' ? reply.ranges : [],
    )
    const unwanted = outcomes.filter(({ outcome }) => outcome.kind === 'not-wanted')
    expect(unwanted.map(({ from, to }) => [from, to])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ])
    b.settle()
    await synd.pass(100)
    expect(synd.status.inSync).toBe(true)
  })

  test('rule 14: is not applied, though its bytes were on the way when it became ignored', async () => {
    b.announce(toldFile('x', 'x'), toldFile('.syndignore', 'x\n'))
    await synd.pass(3_000)
    expect(synd.host.store.get(path('x'))).toBeNull()
    expect(synd.status.volume.files).toBe(1)
  })

  test('rule 14: deletes nothing here', async () => {
    b.announce(toldFile('x', 'x'))
    await synd.pass(1_000)
    await ignore('x\n', tombstone({ path: 'x', version: 'b2', by: 'b2' }))
    expect(synd.hands.read('x')).toBe('x')
  })

  test('rule 14: is ignored as what it is: a pattern of directories leaves the file of that name', async () => {
    await ignore('x/\n', toldFile('x', 'a file'))
    expect(synd.hands.read('x')).toBe('a file')
  })

  test('rule 14: a file is deleted where an ignored directory takes its place', async () => {
    synd.hands.write('build', 'a file')
    await ignore('build/\n')
    const heard = await heardWhile(async () => {
      synd.hands.remove('build')
      synd.hands.mkdir('build')
      synd.hands.write('build/inside', 'x')
      await synd.pass(3_000)
    })
    expect(heard).toEqual(['-build'])
    expect(problems()).toEqual([])
  })

  test('rule 14: a file that is to have the name of an ignored directory is listed as failed', async () => {
    await ignore('x/\n')
    synd.hands.mkdir('x')
    await synd.pass(1_000)
    b.announce(toldFile('x', 'a file'))
    await synd.pass(3_000)
    expect(problems()).toEqual(['apply-failed x'])
    expect(synd.status.inSync).toBe(false)
    synd.hands.remove('x')
    await synd.pass(120_000)
    expect(synd.hands.read('x')).toBe('a file')
    expect(problems()).toEqual([])
  })
})

describe('rule 14: what becomes visible again', () => {
  test('rule 14: and is not here is no delete: it comes from the peers', async () => {
    b.announce(toldFile('x', 'x'))
    await synd.pass(1_000)
    await ignore('x\n')
    synd.hands.remove('x')
    await synd.pass(1_000)
    const heard = await heardWhile(async () => ignore(null, toldFile('x', 'x')))
    expect(heard).not.toContain('-x')
    expect(synd.hands.read('x')).toBe('x')
  })

  test('rule 14: and is another elsewhere becomes a conflict copy, though it is newer here', async () => {
    b.announce(toldFile('x', 'theirs'))
    await synd.pass(1_000)
    await ignore('x\n')
    synd.hands.write('x', 'ours, much later')
    await synd.pass(1_000)
    await ignore(null, toldFile('x', 'theirs'))
    expect(synd.hands.read('x')).toBe('theirs')
    const [copy = ''] = synd.status.conflicts
    expect(synd.hands.read(copy)).toBe('ours, much later')
  })

  test('rule 14: and is the same elsewhere takes their version, and no byte moves', async () => {
    b.announce(toldFile('x', 'x'))
    await synd.pass(1_000)
    await ignore('x\n')
    const before = synd.transfer.pulls.length
    await ignore(null, toldFile('x', 'x'))
    expect(synd.transfer.pulls).toHaveLength(before)
    expect(synd.host.store.get(path('x'))?.entry.version).toEqual(toldFile('x', 'x')[0].version)
  })

  test('rule 14: and is nowhere else is announced, with the version that anybody would give it', async () => {
    await ignore('x\n')
    synd.hands.write('x', 'alone')
    const heard = await heardWhile(async () => {
      await synd.pass(1_000)
      await ignore(null)
    })
    expect(heard).toContain('+x')
    const version = synd.host.store.get(path('x'))?.entry.version ?? new Map()
    expect([...version.values()]).toEqual([1])
  })

  test('rule 14: and was deleted elsewhere meanwhile is deleted, if it is what was deleted', async () => {
    b.announce(toldFile('x', 'old'), toldFile('y', 'old'))
    await synd.pass(1_000)
    await ignore('x\ny\n')
    synd.hands.write('y', 'edited here')
    await synd.pass(1_000)
    const gone = { version: 'b2', by: 'b2' }
    await ignore(
      null,
      { ...tombstone({ path: 'x', ...gone }), removedDigest: sha256('old') },
      { ...tombstone({ path: 'y', ...gone }), removedDigest: sha256('old') },
    )
    expect(synd.hands.read('x')).toBeNull()
    expect(synd.hands.read('y')).toBe('edited here')
  })

  test('rule 14: is met so though Synd ends in the middle of it', async () => {
    b.announce(toldFile('x', 'theirs'))
    await synd.pass(1_000)
    await ignore('x\n')
    synd.hands.write('x', 'ours')
    const left = await synd.stop()
    synd.hands.remove('.syndignore')
    await start({}, left, toldFile('x', 'theirs'))
    await synd.pass(3_000)
    expect(synd.hands.read('x')).toBe('theirs')
    expect(synd.status.conflicts).toHaveLength(1)
  })

  test('rule 14: an empty .syndignore ignores nothing, and is no news at every start', async () => {
    await ignore('')
    await restart()
    expect(synd.observer.lines).not.toContain('info: joined')
  })
})

describe('rule 14: a .syndignore that cannot be read', () => {
  test.each([
    ['has more than 256 KiB', '#'.repeat(256 * 1024 + 1), null],
    ['cannot be read (EACCES)', 'x\n', 'EACCES'],
  ] as const)(
    'rule 14: %s: it is listed, and nothing is announced meanwhile',
    async (why, text, errno) => {
      let isArmed = true
      const left = await synd.stop()
      const refuse: AttachOptions['refuse'] = ({ operation, path: at }) =>
        isArmed && operation === 'read' && at === '.syndignore' ? errno : null
      await start({ refuse }, left)
      synd.hands.replace('.syndignore', text)
      synd.hands.write('x', 'x')
      await synd.pass(10_000)
      expect(heardSince(0)).toEqual([])
      expect(synd.status.problems.map(({ message }) => message)).toEqual([
        expect.stringContaining(why),
      ])
      expect(synd.status.inSync).toBe(false)
      isArmed = false
      await ignore('y\n')
      expect(heardSince(0)).toEqual(['+.syndignore', '+x'])
      expect(problems()).toEqual([])
    },
  )
})

describe('rule 14: a deleted directory with things inside that are not synced', () => {
  const made = (name: string) => directory({ path: name, version: 'b1', by: 'b1', mode: 0o755 })
  const gone = (name: string) => ({
    ...tombstone({ path: name, version: 'b2', by: 'b2' }),
    removedKind: 'directory' as const,
    removedDigest: null,
  })

  async function leftOver(): Promise<void> {
    await ignore('*.log\n', made('d'), made('d/e'), toldFile('d/e/x', 'x'))
    synd.hands.write('d/e/a.log', 'log')
    await synd.pass(1_000)
    b.announce({
      ...tombstone({ path: 'd/e/x', version: 'b2', by: 'b2' }),
      removedDigest: sha256('x'),
    })
    b.announce(gone('d/e'), gone('d'))
    await synd.pass(10_000)
  }

  test('rule 14: stays, with those above it, counts as absent, and is listed', async () => {
    await leftOver()
    expect(synd.hands.tree('d').has('d/e/a.log')).toBe(true)
    expect(problems()).toEqual(['leftover d/e', 'leftover d'])
    expect(synd.status.volume.directories).toBe(0)
    b.acknowledge()
    b.settle()
    await synd.pass(100)
    expect(synd.status.inSync).toBe(true)
  })

  test('rule 14: resurrects nothing, at no scan and no start', async () => {
    await leftOver()
    const heard = await heardWhile(async () => {
      await synd.pass(400_000)
      synd.hands.append('d/e/a.log', 'more')
      synd.hands.chmod('d', 0o700)
      await synd.pass(3_000)
    })
    expect(heard).toEqual([])
    await restart()
    await synd.pass(400_000)
    expect(heardSince(0).filter((one) => one.startsWith('+d'))).toEqual([])
    expect(problems().toSorted()).toEqual(['leftover d', 'leftover d/e'])
  })

  test('rule 14: is live again with the first file in it that is synced, and so are those above', async () => {
    await leftOver()
    const heard = await heardWhile(async () => {
      synd.hands.write('d/e/new', 'new')
      await synd.pass(3_000)
    })
    expect(heard).toEqual(['+d', '+d/e', '+d/e/new'])
    expect(problems()).toEqual([])
  })

  test('rule 14: is live again when it is made again elsewhere', async () => {
    await leftOver()
    b.announce(
      directory({ path: 'd', version: 'b3', by: 'b3', mode: 0o700 }),
      directory({ path: 'd/e', version: 'b3', by: 'b3', mode: 0o755 }),
      toldFile('d/e/y', 'y', 'b3'),
    )
    await synd.pass(3_000)
    expect(synd.tree).toEqual(expect.arrayContaining(['d: d 700', 'd/e/y: f 644 y']))
    expect(problems()).toEqual([])
  })

  test('rule 14: keeps a file from its name, and says so', async () => {
    await leftOver()
    b.announce(toldFile('d', 'a file', 'b3'))
    await synd.pass(3_000)
    expect(problems()).toContain('apply-failed d')
    synd.hands.remove('d')
    await synd.pass(120_000)
    expect(synd.hands.read('d')).toBe('a file')
    expect(problems()).toEqual([])
  })

  test('rule 14: is listed no more when somebody removed it', async () => {
    await leftOver()
    synd.hands.remove('d')
    await synd.pass(3_000)
    expect(problems()).toEqual([])
  })

  test('rule 14: is no reason for anything when it is .synd, at any depth', async () => {
    b.announce(made('d'))
    await synd.pass(1_000)
    synd.hands.mkdir('d/.synd')
    synd.hands.write('d/.synd/x', 'x')
    await synd.pass(1_000)
    b.announce(gone('d'))
    await synd.pass(3_000)
    expect(problems()).toEqual(['leftover d'])
    expect(synd.hands.tree().get('d/.synd/x')).toBe('f 644 x')
  })

  test('rule 14: a file that is to have its name while it is live cannot take it, and that is listed', async () => {
    await ignore('*.log\n', made('d'))
    synd.hands.write('d/a.log', 'log')
    b.announce(file({ path: 'd', version: 'b2', by: 'b2' }), toldFile('d', 'a file', 'b3'))
    await synd.pass(3_000)
    expect(problems()).toEqual(['apply-failed d'])
    expect(synd.hands.tree().has('d/a.log')).toBe(true)
  })
})

describe('rule 14: conflict copies', () => {
  test('rule 14: of .syndignore say nothing about what is ignored', async () => {
    await ignore('x\n')
    const [entry, content] = toldFile('.syndignore', 'y\n')
    b.announce([{ ...entry, mtimeUs: 4e15 }, content])
    await synd.pass(3_000)
    const [copy = ''] = synd.status.conflicts
    expect(copy).toMatch(/^\.syndignore\.sync-conflict-/)
    expect(synd.hands.read('.syndignore')).toBe('y\n')
    expect(synd.hands.read(copy)).toBe('x\n')
    synd.hands.write('x', 'x')
    synd.hands.write('y', 'y')
    b.dialIn()
    await synd.pass(3_000)
    const heard = heardSince(0)
    expect(heard).toContain('+x')
    expect(heard).not.toContain('+y')
  })

  test('rule 14: that are ignored are made all the same, once, and stay here', async () => {
    await ignore('*.sync-conflict-*\n', toldFile('x', 'base'))
    synd.hands.write('x', 'ours')
    const [entry, content] = toldFile('x', 'theirs', 'b2')
    b.announce([{ ...entry, mtimeUs: 4e15 }, content])
    await synd.pass(10_000)
    const copies = synd.tree.filter((line) => line.startsWith('x.sync-conflict-'))
    expect(copies).toEqual([expect.stringMatching(/ours$/)])
    expect(synd.hands.read('x')).toBe('theirs')
    expect(heardSince(0).filter((one) => one.includes('.sync-conflict-'))).toEqual([])
    expect(synd.status.conflicts).toEqual([])
  })

  test('rule 14: that were ignored are announced when they are not ignored any more', async () => {
    await ignore('*.sync-conflict-*\n', toldFile('x', 'base'))
    synd.deafen(true)
    synd.hands.write('x', 'ours')
    await synd.pass(400_000)
    const [entry, content] = toldFile('x', 'theirs', 'b2')
    b.announce([{ ...entry, mtimeUs: 4e15 }, content])
    await synd.pass(3_000)
    synd.deafen(false)
    await ignore(null, [{ ...entry, mtimeUs: 4e15 }, content])
    const [copy = ''] = synd.status.conflicts
    expect(synd.hands.read(copy)).toBe('ours')
    expect(heardSince(0)).toContain(`+${copy}`)
  })
})
