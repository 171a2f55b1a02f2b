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
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { mergeVectors, vectorOf } from '../../src/core/version-vector.ts'
import { encodeAnnouncement } from '../../src/rpc/wire-announcement.ts'
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

type Answer = (channel: ServerChannel) => void

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
      for (const { path } of request.kind === 'synd-scp' ? request.operands : []) {
        const lie = lies.get(path)
        if (lie !== undefined) return lie(channel)
        channel.write(`T1 0 1 0\nC0644 ${path.length} first\n${path}\0`)
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

const says =
  (text: string): Answer =>
  (channel) => {
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
    expect(refusals().length).toBeGreaterThan(0)
    for (const line of refusals()) {
      // oxlint-disable-next-line no-control-regex
      expect(line).not.toMatch(/[\x00-\x1f\x7f]|\\u00/)
      expect(line.length).toBeLessThan(1000)
    }
    memory.expectSmall()
  })
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
    plant: (path: string) => Promise<void>,
  ): Promise<string> {
    const content = directory.padEnd(3_000_000, 'x')
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

  test('at the place of the file is not followed', async () => {
    const { path: target, state } = outside('planted-at-target')
    const before = state()
    const path = await midway('plant-target', async (path) => {
      siege.victim.hands.remove(path)
      symlinkSync(target, join(siege.victim.volume, path))
    })
    await until(() => (staged().length === 0 ? null : `staging holds ${staged().join()}`))
    await siege.expectServed()
    lies.clear()
    expect(state()).toBe(before)
    expect(lstatSync(join(siege.victim.volume, path), { throwIfNoEntry: false })).toBeDefined()
  })

  test('at the place where it is staged is not followed', async () => {
    const { path: target, state } = outside('planted-at-stage')
    const before = state()
    await midway('plant-stage', async () => {
      await until(() => (staged().length > 0 ? null : 'nothing is staged'))
      for (const name of staged()) {
        renameSync(join(staging(), name), join(siege.victim.volume, '..', `stolen-${name}`))
        symlinkSync(target, join(staging(), name))
      }
    })
    await siege.expectServed()
    await until(() => (staged().length === 0 ? null : `staging holds ${staged().join()}`))
    expect(state()).toBe(before)
  })
})
