import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { status, type ClientDuplexStream } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseDigest } from '../../src/core/digest.ts'
import type { Entry } from '../../src/core/entry.ts'
import { parseEpoch, parsePeerId, type PeerId } from '../../src/core/peer-id.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { mergeVectors, vectorOf, type VersionVector } from '../../src/core/version-vector.ts'
import { proto } from '../../src/rpc/proto.ts'
import { encodeAnnouncement } from '../../src/rpc/wire-announcement.ts'
import { decodeReply } from '../../src/rpc/wire-reply.ts'
import { until } from '../e2e/wait.ts'
import { badEntries, goodEntry } from '../rpc/bad-entries.ts'
import { statusOf } from '../rpc/raw-client.ts'
import { firstPeer, sampleHello } from '../rpc/samples.ts'
import { besiege, type Siege } from './siege.ts'

/*
 * A member tells a real sidecar of entries that are none, or that are lies in themselves. What is told well in the same breath counts.
 */

let siege: Siege
let sequence = 0

beforeAll(async () => {
  siege = await besiege()
})
afterAll(() => siege.stop())

type Stream = ClientDuplexStream<Buffer, Buffer>

/** A stream of the attacker's; `end` closes its connection. */
async function open(hello = sampleHello()): Promise<{ stream: Stream; end: () => void }> {
  const client = siege.attacker.client(siege.victim.ports.grpc)
  const stream = client.notify(await client.session(hello))
  stream.on('error', () => {}).resume()
  return { stream, end: () => client.close() }
}

function tell(stream: Stream, entries: readonly Entry[]): void {
  const told = entries.map((entry) => ({ sequence: ++sequence, entry }))
  for (const message of encodeAnnouncement({ entries: told, upTo: sequence, head: sequence }))
    stream.write(message)
}

let counter = Date.now()
const directory = (path: string, version: VersionVector | null = null): Entry => {
  const contentDot = { peer: firstPeer, counter: counter++ }
  const common = { contentDot, metadataDot: contentDot, mode: 0o755, mtimeUs: 1 }
  const own = vectorOf(contentDot)
  return {
    kind: 'directory',
    path: parseRelativePath(path),
    ...common,
    version: version === null ? own : mergeVectors(version, own),
  }
}
const link = (path: string, target: string): Entry => {
  const digest = parseDigest(createHash('sha256').update(target, 'latin1').digest('hex'))
  return { ...directory(path), kind: 'symlink', target, digest }
}
const tombstone = (path: string): Entry => ({
  ...directory(path),
  kind: 'tombstone',
  removedKind: 'directory',
  removedDigest: null,
})

const has = (path: string, start: string): Promise<void> =>
  until(() => {
    const found = siege.victim.hands.tree().get(path) ?? 'nothing'
    return found.startsWith(start) ? null : `${path} is ${found}`
  })
const beside = (): string[] => readdirSync(join(siege.victim.volume, '..')).toSorted()

describe('an entry that lies', () => {
  test('in any field is refused by its sequence and counted; its neighbours come', async () => {
    const before = beside()
    const expected = new Map<string, number>()
    for (const [, , reason] of badEntries) expected.set(reason, (expected.get(reason) ?? 0) + 1)
    const { stream, end } = await open()
    const refused: string[] = []
    stream.on('data', (bytes: Buffer) => {
      const reply = decodeReply(bytes, () => {})
      if (reply?.kind !== 'acknowledgement') return
      for (const { from, outcome } of reply.ranges)
        if (outcome.kind === 'refused') refused.push(`${from} ${outcome.code}`)
    })
    const entries = badEntries.flatMap(([, change], index) => [
      { ...goodEntry, sequence: ++sequence, ...change },
      {
        ...goodEntry,
        sequence: ++sequence,
        path: Buffer.from(`neighbour-${index}`),
        file: null,
        directory: {},
      },
    ])
    stream.write(proto().Announcement.serialize({ entries, upTo: sequence, head: sequence }))
    for (const [index] of badEntries.entries()) await has(`neighbour-${index}`, 'd ')
    for (const [reason, count] of expected) await siege.untilRejected('grpc', reason, count)
    for (const [index, [, , reason]] of badEntries.entries())
      expect(refused).toContain(`${2 * index + 1} ${reason}`)
    // The stream lives.
    tell(stream, [directory('after-the-lies')])
    await has('after-the-lies', 'd ')
    await siege.expectServed()
    const names = [...siege.victim.hands.tree().keys()].filter(
      (name) => !/^(?:neighbour|of-)/.test(name),
    )
    expect(names).toEqual(['after-the-lies'])
    expect(beside()).toEqual(before)
    end()
  })

  test('about another kind at its place leads nowhere outside', async () => {
    const outside = join(siege.victim.volume, '../outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'kept'), 'kept')
    const { stream, end } = await open()
    tell(stream, [
      link('both', '../outside'),
      directory('both'),
      directory('both/below'),
      link('out', '../outside'),
      directory('out/below'),
      link('out/link', '/etc'),
      tombstone('out/kept'),
      link('up', '..'),
      tombstone('up/outside'),
      directory('last'),
    ])
    await has('last', 'd ')
    await siege.expectServed()
    expect(readdirSync(outside)).toEqual(['kept'])
    end()
  })

  test('about its own past, or about the future, does not win', async () => {
    const { stream, end } = await open()
    const first = directory('backwards')
    const newer = { ...directory('backwards', first.version), mode: 0o700 }
    tell(stream, [newer])
    await has('backwards', 'd 700')
    tell(stream, [first, tombstone('nothing-there')])
    await siege.expectServed()
    expect(siege.victim.hands.tree().get('backwards')).toBe('d 700')
    end()
    // As in an earlier life, from the start.
    const again = await open(sampleHello({ epoch: parseEpoch('00000000000000e0') }))
    sequence = 0
    tell(again.stream, [first, directory('of-the-old-epoch')])
    await has('of-the-old-epoch', 'd ')
    expect(siege.victim.hands.tree().get('backwards')).toBe('d 700')
    again.end()
  })
})

describe('a flood', () => {
  test('of versions of one path, none of which saw another, keeps nobody waiting', async () => {
    const memory = siege.watchMemory()
    const { stream, end } = await open()
    const peerOf = (index: number): PeerId =>
      parsePeerId((index + 1).toString(16).padStart(16, '7'))
    const versions = Array.from({ length: 5000 }, (_, index): Entry => {
      const dot = { peer: peerOf(index), counter: 1 }
      return { ...directory('flooded'), version: vectorOf(dot), contentDot: dot, metadataDot: dot }
    })
    tell(stream, versions)
    for (let count = 0; count < 3; count++) await siege.expectServed()
    await has('flooded', 'd ')
    expect((await siege.victim.process.status())?.conflicts).toEqual([])
    memory.expectSmall()
    end()
  })
})

test('honest peers are served while deletes of a great many names that never were are taken', async () => {
  const memory = siege.watchMemory()
  const count = 50_000
  const taken = async (): Promise<number> => {
    const status = await siege.victim.process.status()
    return status?.volume.tombstones ?? 0
  }
  const { stream, end } = await open()
  let recorded = 0
  stream.on('data', (bytes: Buffer) => {
    const reply = decodeReply(bytes, () => {})
    if (reply?.kind === 'acknowledgement') recorded = reply.recordedUpTo
  })
  const last = sequence + count
  tell(
    stream,
    Array.from({ length: count }, (_, index) => tombstone(`gone-${index}`)),
  )
  await until(() => (recorded === last ? null : `${recorded} of ${last} are recorded`))
  await siege.expectServed()
  expect(await taken(), 'the flood was over before anybody was served').toBeLessThan(count)
  console.log(`memory grew by ${Math.round(memory.growth() / 1e6)} MB`)
  end()
})

describe('a member that says it is another', () => {
  test('is refused, told why and counted, and the other stays connected', async () => {
    const before = await siege.rejected('grpc', 'hello-refused')
    const honest = await siege.cluster.member('honest').process.status()
    const client = siege.attacker.client(siege.victim.ports.grpc)
    const peerId = parsePeerId(honest?.peer.id ?? '')
    const session = await client.session(sampleHello({ peerId, name: 'honest' }))
    expect(await statusOf(client.notify(session))).toBe(status.PERMISSION_DENIED)
    await siege.untilRejected('grpc', 'hello-refused', before + 1)
    client.close()
    await siege.expectServed()
    expect(siege.victim.process.output).not.toContain('peer disconnected')
  })
})
