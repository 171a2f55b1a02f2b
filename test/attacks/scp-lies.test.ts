import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { ServerChannel } from 'ssh2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseDigest } from '../../src/core/digest.ts'
import type { Entry, FileEntry } from '../../src/core/entry.ts'
import type { SequencedEntry } from '../../src/core/protocol.ts'
import { parsePeerId } from '../../src/core/peer-id.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { mergeVectors, vectorOf } from '../../src/core/version-vector.ts'
import { encodeAnnouncement } from '../../src/rpc/wire-announcement.ts'
import type { Operand } from '../../src/transfer/operand.ts'
import { parseExecRequest } from '../../src/transfer/source/exec-request.ts'
import { until as wait } from '../e2e/wait.ts'
import { firstPeer } from '../rpc/samples.ts'
import { endExec } from '../transfer/fake-source.ts'
import { scpLies } from '../transfer/scp-lies.ts'
import { besiege, type Siege } from './siege.ts'

/*
 * A member announces versions of files that the victim has, and lies when it is asked for the bytes. The victim is a real sidecar: whatever is
 * said to it, its file stays, staging is empty afterwards, and it says once what it was told.
 */

const until = (check: Parameters<typeof wait>[0]) =>
  wait(check, { deadlineMs: 15_000, everyMs: 10 })

type Answer = (channel: ServerChannel, asked: Operand) => void

let siege: Siege
/** What the attacker's SSH server does when it is asked for a path; for the others it is honest: their content is the path. */
const lies = new Map<string, Answer>()
let tell: (entries: readonly SequencedEntry[]) => void
let sequence = 0

beforeAll(async () => {
  siege = await besiege({
    isListed: true,
    answer: (channel, command) => {
      const request = parseExecRequest(command)
      for (const asked of request.kind === 'synd-scp' ? request.operands : []) {
        const { path } = asked
        const lie = lies.get(path)
        if (lie !== undefined) return lie(channel, asked)
        const name = path.slice(path.lastIndexOf('/') + 1)
        channel.write(`T1 0 1 0\nC0644 ${path.length} ${name}\n${path}\0`)
      }
      endExec(channel)
    },
  })
  const client = siege.attacker.client(siege.victim.ports.grpc)
  const stream = client.notify(await client.session())
  stream.on('error', () => {}).resume()
  tell = (entries) => {
    const upTo = entries.at(-1)?.sequence ?? 0
    for (const message of encodeAnnouncement({ entries, upTo, head: upTo })) stream.write(message)
  }
})
afterAll(() => siege.stop())

/** For an answer that does not look at what it is asked. */
const says =
  (text: string) =>
  (channel: ServerChannel): void => {
    channel.write(Buffer.from(text, 'latin1'))
    endExec(channel)
  }

/** A new version of a path, over what the victim has there. */
function version(path: string, content: string, sizeBytes = content.length): SequencedEntry {
  const dot = { peer: firstPeer, counter: Date.now() }
  const known = latest(path)
  const digest = parseDigest(createHash('sha256').update(content, 'latin1').digest('hex'))
  const entry: FileEntry = {
    kind: 'file',
    path: parseRelativePath(path),
    version: known === null ? vectorOf(dot) : mergeVectors(known.version, vectorOf(dot)),
    contentDot: dot,
    metadataDot: dot,
    mode: 0o644,
    mtimeUs: Date.now() * 1000,
    digest,
    sizeBytes,
  }
  return { sequence: ++sequence, entry }
}

/** What the victim announced of a path last. */
function latest(path: string): Entry | null {
  const all = siege.attacker.engine.received.flatMap(({ entries }) => entries)
  return all.findLast(({ entry }) => entry.path === path)?.entry ?? null
}

/** A file of the victim that the attacker knows, and what is asked for it. */
async function own(directory: string, answer: Answer): Promise<string> {
  const path = `${directory}/first`
  lies.set(path, answer)
  if (siege.victim.hands.read(path) === null) {
    mkdirSync(join(siege.victim.volume, directory), { recursive: true })
    siege.victim.hands.write(path, 'mine')
  }
  await until(() => (latest(path) === null ? `${path} was not announced` : null))
  return path
}

/** The attacker gives up lying; what it has comes, and nothing is wrong any more. */
async function untilHonest(...paths: readonly string[]): Promise<void> {
  lies.clear()
  tell(paths.map((path) => version(path, path)))
  for (const path of paths) {
    await until(() => (siege.victim.hands.read(path) === path ? null : `${path} has not come`))
    await until(async () => ((await problemsOf(path)).length === 0 ? null : `${path}: a problem`))
  }
}

const problemsOf = async (path: string): Promise<readonly string[]> => {
  const status = await siege.victim.process.status()
  return (status?.problems ?? []).flatMap((one) => (one.path === path ? [one.code] : []))
}
const staging = (): string => join(siege.victim.volume, '.synd/staging')
const staged = (): string[] => readdirSync(staging())
const refusals = (): string[] =>
  siege.victim.process.output.split('\n').filter((line) => line.includes('a source was refused'))

describe('a source that lies', () => {
  test('in any field changes nothing here, leaves nothing, is told and counted, and heard again once it is honest', async () => {
    const memory = siege.watchMemory()
    const before = {
      record: await siege.rejected('scp', 'record'),
      content: await siege.rejected('scp', 'content'),
    }
    // So few at once that one pull asks for all of them: a source that breaks off more often is given up for a while.
    const batches = Array.from({ length: Math.ceil(scpLies.length / 6) }, (_, index) =>
      scpLies.slice(6 * index, 6 * index + 6),
    )
    for (const [batch, told] of batches.entries()) {
      const paths: string[] = []
      for (const [index, [, lie]] of told.entries())
        paths.push(await own(`lie-${batch}-${index}`, says(lie)))
      tell(paths.map((path) => version(path, 'one')))
      for (const [index, path] of paths.entries()) {
        const name = told[index]?.[0]
        await until(async () => ((await problemsOf(path)).length > 0 ? null : `${name}: not told`))
        const code = expect.stringMatching(/source-mismatch|pull-failed/)
        expect([name, await problemsOf(path)]).toEqual([name, [code]])
        expect([name, siege.victim.hands.read(path)]).toEqual([name, 'mine'])
        const names = readdirSync(join(siege.victim.volume, `lie-${batch}-${index}`))
        expect([name, names]).toEqual([name, ['first']])
      }
      await siege.expectServed()
      await until(() => (staged().length === 0 ? null : `staging holds ${staged().join()}`))
      await untilHonest(...paths)
    }
    expect(await siege.rejected('scp', 'record')).toBeGreaterThan(before.record + 10)
    expect(await siege.rejected('scp', 'content')).toBeGreaterThan(before.content)
    // Each is told, in one line.
    await until(async () => {
      const counted =
        (await siege.rejected('scp', 'record')) + (await siege.rejected('scp', 'content'))
      return refusals().length === counted ? null : `${refusals().length} lines of ${counted}`
    })
    for (const line of refusals()) {
      // oxlint-disable-next-line no-control-regex
      expect(line).not.toMatch(/[\x00-\x1f\x7f]|\\u00/)
      expect(line.length).toBeLessThan(1000)
    }
    memory.expectSmall()
  })
})

test('a source that announces and then refuses to serve is asked later and later, and nothing else waits for it', async () => {
  const askedMs: number[] = []
  const path = await own('refused', (channel) => {
    askedMs.push(performance.now())
    says('\x01scp: first: No such file or directory\n')(channel)
  })
  tell([version(path, 'one')])
  await until(() => (askedMs.length > 0 ? null : 'it was not asked'))
  // The same source has other files, one of which was there before.
  const other = await own('not-refused', () => {})
  lies.delete(other)
  const sinceMs = performance.now()
  tell([version(other, other), version('new-of-the-refuser', 'new-of-the-refuser')])
  for (const one of [other, 'new-of-the-refuser'])
    await until(() => (siege.victim.hands.read(one) === one ? null : `${one} has not come`))
  expect(performance.now() - sinceMs).toBeLessThan(10_000)
  await siege.expectServed()
  await until(() => (askedMs.length >= 5 ? null : `asked ${askedMs.length} times`))
  // Half a second, with jitter, and twice as much after each.
  const pausesMs = askedMs
    .slice(0, 5)
    .flatMap((ms, index) => (index === 0 ? [] : [ms - (askedMs[index - 1] ?? 0)]))
  for (const [attempt, pauseMs] of pausesMs.entries())
    expect(pauseMs).toBeGreaterThan(240 * 2 ** attempt)
  expect(siege.victim.hands.read(path)).toBe('mine')
  expect(staged()).toEqual([])
  await untilHonest(path)
})

describe('a large file, which arrives in a thread of its own,', () => {
  const sizeBytes = 9_000_000
  const right = 'one '.repeat(sizeBytes / 4)
  const header = `C0644 ${sizeBytes} first\n`
  const largeLies: readonly (readonly [string, string, 'record' | 'content' | null])[] = [
    ['another base name', `C0644 ${sizeBytes} other\n${right}\0`, 'record'],
    ['a smaller size', 'C0644 3 first\none\0', 'record'],
    ['a terabyte', `C0644 1000000000000 first\n${right}`, 'record'],
    ['a directory', `D0755 0 first\n${header}${right}\0E\n`, 'record'],
    ['other bytes', `${header}${'eno '.repeat(sizeBytes / 4)}\0`, 'content'],
    ['more bytes than it said', `${header}${right}more\0`, 'record'],
    ['an end in the middle', `${header}${right.slice(0, sizeBytes / 2)}`, null],
    ['that it was not right after all', `${header}${right}\x01scp: first: changed\n`, null],
  ]

  test.each(largeLies)('with %s stays as it is here', async (_name, lie, counted) => {
    const before = counted === null ? 0 : await siege.rejected('scp', counted)
    const directory = `large-${largeLies.findIndex(([, one]) => one === lie)}`
    const path = await own(directory, says(lie))
    tell([version(path, right)])
    await until(async () => ((await problemsOf(path)).length > 0 ? null : 'no problem is told'))
    if (counted !== null) await siege.untilRejected('scp', counted, before + 1)
    await siege.expectServed()
    expect(siege.victim.hands.read(path)).toBe('mine')
    expect(readdirSync(join(siege.victim.volume, directory))).toEqual(['first'])
    await untilHonest(path)
    await until(() => (staged().length === 0 ? null : `staging holds ${staged().join()}`))
  })

  test('came through the thread', () => {
    const tasks = `/proc/${siege.victim.process.pid}/task`
    const names = readdirSync(tasks).map((id) => readFileSync(join(tasks, id, 'comm'), 'utf8'))
    expect(names).toContain('synd-bulk\n')
  })
})

test('who says of one path in one message that it is a file and a directory is taken at the last word', async () => {
  const directory = (path: string): SequencedEntry => {
    const { sequence: told, entry } = version(path, '')
    const { version: vector, contentDot, metadataDot, mtimeUs } = entry
    const common = { version: vector, contentDot, metadataDot, mtimeUs, mode: 0o755 }
    return { sequence: told, entry: { kind: 'directory', path: entry.path, ...common } }
  }
  tell([
    version('first-file', 'first-file'),
    directory('first-file'),
    directory('first-file/below'),
  ])
  tell([directory('then-file'), version('then-file', 'then-file')])
  tell([directory('alternating'), version('alternating', 'alternating'), directory('alternating')])
  tell([version('after-the-kinds', 'after-the-kinds')])
  for (const path of ['then-file', 'after-the-kinds'])
    await until(() => (siege.victim.hands.read(path) === path ? null : `${path} has not come`))
  for (const path of ['first-file', 'first-file/below', 'alternating'])
    await until(() => {
      const shown = siege.victim.hands.tree().get(path) ?? 'nothing'
      return shown.startsWith('d ') ? null : `${path} is ${shown}`
    })
  await siege.expectServed()
  await until(() => (staged().length === 0 ? null : `staging holds ${staged().join()}`))
})

test('a flood of versions of one file, each with other content and none of which saw another, makes few copies and loses nothing', async () => {
  const memory = siege.watchMemory()
  const contents = new Map<string, string>()
  const path = await own('quarrel', (channel, { digest }) => {
    const content = contents.get(digest) ?? ''
    channel.write(`C0644 ${content.length} first\n${content}\0`)
    endExec(channel)
  })
  let last = 0
  /** The next so many; each is later than the one before, and takes the name from it. */
  const flood = (count: number): void => {
    const versions = Array.from({ length: count }, () => {
      const dot = { peer: parsePeerId((++last).toString(16).padStart(16, '7')), counter: 1 }
      const content = `content ${last}`
      const { sequence: told, entry } = version(path, content)
      contents.set(entry.kind === 'file' ? entry.digest : '', content)
      const mtimeUs = Date.now() * 1000 + last
      const alone = { version: vectorOf(dot), contentDot: dot, metadataDot: dot, mtimeUs }
      return { sequence: told, entry: { ...entry, ...alone } }
    })
    tell(versions)
  }
  const here = (): readonly string[] =>
    readdirSync(join(siege.victim.volume, 'quarrel')).map(
      (name) => siege.victim.hands.read(`quarrel/${name}`) ?? '',
    )
  // One by one, until the victim waits before it settles the next (rule 8).
  while (!(await problemsOf(path)).includes('contended')) {
    const known = here().length
    expect(known).toBeLessThan(10)
    flood(1)
    await until(async () =>
      here().length > known || (await problemsOf(path)).includes('contended')
        ? null
        : 'nothing came of it',
    )
  }
  for (let round = 0; round < 10; round++) flood(300)
  for (let count = 0; count < 3; count++) await siege.expectServed()
  expect(here()).toContain('mine')
  expect(here().length).toBeGreaterThan(3)
  expect(here().length).toBeLessThan(12)
  memory.expectSmall()
  lies.clear()
})

describe('a source that floods', () => {
  const floods: readonly (readonly [string, (channel: ServerChannel, chunk: Buffer) => boolean])[] =
    [
      ['a gigabyte of stderr', (channel, chunk) => channel.stderr.write(chunk)],
      ['an endless error line', (channel, chunk) => channel.write(chunk)],
      ['an endless header', (channel, chunk) => channel.write(chunk)],
      ['more bytes than it said', (channel, chunk) => channel.write(chunk)],
    ]
  const begins = ['', '\x01', 'C0644 3 ', 'C0644 3 first\none']

  test.each(floods.map(([name, write], index) => ({ name, write, begin: begins[index] ?? '' })))(
    'with $name is cut off, and memory does not grow',
    async ({ name, write, begin }) => {
      const memory = siege.watchMemory()
      let written = 0
      const path = await own(`flood-${name.replaceAll(' ', '-')}`, (channel) => {
        if (begin !== '') channel.write(Buffer.from(begin, 'latin1'))
        const chunk = Buffer.alloc(64 * 1024, 'x')
        const more = (): void => {
          if (!channel.writable || written > 1e9) return
          written += chunk.length
          const stream = name.includes('stderr') ? channel.stderr : channel
          if (write(channel, chunk)) setImmediate(more)
          else stream.once('drain', more)
        }
        more()
      })
      tell([version(path, 'one')])
      await until(async () => ((await problemsOf(path)).length > 0 ? null : 'no problem is told'))
      await siege.expectServed()
      expect(siege.victim.hands.read(path)).toBe('mine')
      expect(written).toBeLessThan(100e6)
      memory.expectSmall()
      await untilHonest(path)
    },
  )

  test('with a file of a terabyte that it does not have takes no place and no memory', async () => {
    const memory = siege.watchMemory()
    const path = await own('terabyte', says(`C0644 1000000000000 first\n${'x'.repeat(100_000)}`))
    tell([version(path, 'one', 1e12)])
    await until(async () => ((await problemsOf(path)).length > 0 ? null : 'no problem is told'))
    await siege.expectServed()
    expect(siege.victim.hands.read(path)).toBe('mine')
    await until(() => (staged().length === 0 ? null : `staging holds ${staged().join()}`))
    memory.expectSmall()
    await untilHonest(path)
  })
})

describe('a link that is planted while the bytes arrive', () => {
  /** The file outside, and everything that could have been changed of it. */
  function outside(name: string): { path: string; state: () => string } {
    const path = join(siege.victim.volume, '..', name)
    writeFileSync(path, 'outside', { mode: 0o604 })
    const state = (): string => {
      const { ino, mode, size, mtimeNs, ctimeNs, nlink } = lstatSync(path, { bigint: true })
      return [ino, mode, size, mtimeNs, ctimeNs, nlink, readFileSync(path, 'utf8')].join(' ')
    }
    return { path, state }
  }

  /** Sends half of the file, then waits for `plant`, then sends the rest. */
  async function midway(
    directory: string,
    { sizeBytes, plant }: { sizeBytes: number; plant: (path: string) => Promise<void> },
  ): Promise<string> {
    const content = directory.padEnd(sizeBytes, 'x')
    const half = Promise.withResolvers<void>()
    const planted = Promise.withResolvers<void>()
    const path = await own(directory, (channel) => {
      channel.write(`C0644 ${content.length} first\n${content.slice(0, content.length / 2)}`)
      half.resolve()
      void planted.promise.then(() => says(`${content.slice(content.length / 2)}\0`)(channel))
    })
    tell([version(path, content)])
    await half.promise
    await plant(path)
    planted.resolve()
    return path
  }

  // The large one is written by a thread.
  describe.each([3_000_000, 9_000_000])('of a file of %i bytes', (sizeBytes) => {
    test('at the place of the file is not followed', async () => {
      const { path: target, state } = outside(`planted-at-target-${sizeBytes}`)
      const before = state()
      const path = await midway(`plant-target-${sizeBytes}`, {
        sizeBytes,
        plant: async (path) => {
          siege.victim.hands.remove(path)
          symlinkSync(target, join(siege.victim.volume, path))
        },
      })
      await until(() => (staged().length === 0 ? null : `staging holds ${staged().join()}`))
      await siege.expectServed()
      lies.clear()
      expect(state()).toBe(before)
      expect(lstatSync(join(siege.victim.volume, path), { throwIfNoEntry: false })).toBeDefined()
    })

    test('at the place where it is staged is not followed', async () => {
      const { path: target, state } = outside(`planted-at-stage-${sizeBytes}`)
      const before = state()
      await midway(`plant-stage-${sizeBytes}`, {
        sizeBytes,
        plant: async () => {
          await until(() => (staged().length > 0 ? null : 'nothing is staged'))
          for (const name of staged()) {
            renameSync(join(staging(), name), join(siege.victim.volume, '..', `stolen-${name}`))
            symlinkSync(target, join(staging(), name))
          }
        },
      })
      await siege.expectServed()
      await until(() => (staged().length === 0 ? null : `staging holds ${staged().join()}`))
      expect(state()).toBe(before)
    })
  })
})
