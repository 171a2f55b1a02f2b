import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerChannel } from 'ssh2'
import { expect, test, vi } from 'vitest'
import { parseDigest } from '../../src/core/digest.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import type { Pulled, PullRequest, PullTarget, Transfer } from '../../src/engine/ports.ts'
import { BulkLane } from '../../src/transfer/bulk/lane.ts'
import { Connections } from '../../src/transfer/sink/connections.ts'
import type { SyndVolume } from '../../src/volume/volume.ts'
import { realVolume } from '../support/real-volume.ts'
import { until } from './collect.ts'
import { startFakeSource } from './fake-source.ts'
import { startPair, startTransfer } from './peers.ts'

const sizeBytes = 12 * 1024 * 1024
const never = new AbortController().signal

function digestOf(bytes: Uint8Array) {
  return parseDigest(createHash('sha256').update(bytes).digest('hex'))
}

const content = Buffer.alloc(sizeBytes, 7)
const wanted: PullRequest = {
  path: parseRelativePath('large'),
  sizeBytes,
  digest: digestOf(content),
}

/** The one result, or what was thrown. */
async function pullOne(
  transfer: Transfer,
  target: PullTarget,
  { request = wanted, volume, signal = never }: Asked,
): Promise<Pulled> {
  const pulls = transfer.pull(target, [request], (asked) => volume.createStage(asked), signal)
  for await (const pulled of pulls) return pulled
  throw new Error('no result')
}

interface Asked {
  readonly request?: PullRequest
  readonly volume: SyndVolume
  readonly signal?: AbortSignal
}

function staged(path: string): string[] {
  const directory = join(path, '.synd', 'staging')
  return readdirSync(directory).map((name) => join(directory, name))
}

/** Sends the header and `count` bytes. */
function begin(channel: ServerChannel, count: number, fill = 7): void {
  channel.write(`T0 0 0 0\nC0644 ${sizeBytes} large\n`)
  channel.write(Buffer.alloc(count, fill))
}

test('a large file is written by a thread: nothing of it passes the event loop', async () => {
  await using under = realVolume()
  const volume = await under.open()
  const pair = await startPair()
  try {
    const content = randomBytes(sizeBytes + 12_345)
    const request = pair.volume.put('large', content)
    const stage = await volume.createStage(request)
    const [write, finish] = [vi.spyOn(stage, 'write'), vi.spyOn(stage, 'finish')]
    const pulls = pair.transfer.pull(pair.target, [request], async () => stage, never)
    const results: string[] = []
    for await (const pulled of pulls) results.push(pulled.kind)
    expect(results).toEqual(['pulled'])
    expect(write).not.toHaveBeenCalled()
    expect(finish).not.toHaveBeenCalled()
    expect(stage.isFinished).toBe(true)
    expect(staged(under.path).map((path) => digestOf(readFileSync(path)))).toEqual([request.digest])
    expect(pair.served).toEqual([{ key: pair.sink.key.fingerprint, sizeBytes: content.length }])
  } finally {
    await pair.stop()
  }
})

test('a version that the source has no longer is superseded, and nothing of it is left', async () => {
  await using under = realVolume()
  const volume = await under.open()
  const pair = await startPair()
  try {
    pair.volume.put('large', randomBytes(sizeBytes))
    expect(await pullOne(pair.transfer, pair.target, { volume })).toEqual({ kind: 'superseded' })
    expect(staged(under.path)).toEqual([])
  } finally {
    await pair.stop()
  }
})

test('other bytes than were announced are refused and counted, and nothing of them is left', async () => {
  await using under = realVolume()
  const volume = await under.open()
  const source = await startFakeSource((channel) => {
    begin(channel, sizeBytes, 1)
    channel.write(Buffer.of(0))
    channel.exit(0)
    channel.end()
  })
  const { transfer, record } = startTransfer({ trusted: [source.key] })
  try {
    const pulled = await pullOne(transfer, source.target, { volume })
    expect(pulled).toMatchObject({ kind: 'failed', code: 'source-mismatch' })
    expect(record.rejections).toEqual(['scp:content'])
    expect(staged(under.path)).toEqual([])
  } finally {
    await transfer.stop()
    await source.stop()
  }
})

test('a pull that is aborted in the middle of a large file leaves nothing, and the next one works', async () => {
  await using under = realVolume()
  const volume = await under.open()
  const source = await startFakeSource((channel) => begin(channel, sizeBytes / 2))
  const { transfer } = startTransfer({ trusted: [source.key] })
  try {
    for (let round = 0; round < 2; round++) {
      const controller = new AbortController()
      const pulling = pullOne(transfer, source.target, { volume, signal: controller.signal })
      const ended = expect(pulling).rejects.toMatchObject({ code: 'aborted' })
      await until(() => staged(under.path).some((path) => statSync(path).size > sizeBytes / 4))
      controller.abort()
      await ended
      expect(staged(under.path)).toEqual([])
    }
  } finally {
    await transfer.stop()
    await source.stop()
  }
})

test('a source that loses our trust loses its large transfers too', async () => {
  await using under = realVolume()
  const volume = await under.open()
  const source = await startFakeSource((channel) => begin(channel, sizeBytes / 2))
  const { transfer, trusted } = startTransfer({ trusted: [source.key] })
  try {
    const pulling = pullOne(transfer, source.target, { volume })
    const ended = expect(pulling).rejects.toMatchObject({ code: 'untrusted' })
    await until(() => staged(under.path).some((path) => statSync(path).size > sizeBytes / 4))
    trusted.length = 0
    transfer.trustChanged()
    await ended
    expect(staged(under.path)).toEqual([])
  } finally {
    await transfer.stop()
    await source.stop()
  }
})

test('a thread that has nothing to do ends, and another one starts when it is needed', async () => {
  await using under = realVolume()
  const volume = await under.open()
  const pair = await startPair()
  const limits = { loginMs: 60_000, stallMs: 60_000, idleMs: 60_000, keepaliveMs: 60_000 }
  const setup = { privateKey: pair.sink.key.sshPem, limits }
  const [connections, lane] = [new Connections(setup), new BulkLane({ ...setup, idleMs: 1 })]
  const patience = { lostMs: 0, maxLostMs: 0, refusedMs: 0, maxRefusedMs: 0 }
  const target = {
    name: 'source',
    host: '127.0.0.1',
    port: pair.port,
    user: 'synd',
    keyTypes: [],
    patience,
    hostKeyRefusal: () => null,
    explain: (text: string) => text,
  }
  try {
    const request = pair.volume.put('large', content)
    for (let round = 0; round < 2; round++) {
      const pulled = await lane.pull({
        target,
        connect: () => connections.get(target),
        request,
        stage: await volume.createStage(request),
        refused: () => undefined,
        signal: never,
      })
      expect(pulled?.kind).toBe('pulled')
      await until(() => !lane.isAwake)
    }
  } finally {
    await lane.stop()
    await connections.stop()
    await pair.stop()
  }
})
