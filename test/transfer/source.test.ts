import { afterEach, expect, test } from 'vitest'
import { SyndError } from '../../src/core/errors.ts'
import { createSource } from '../../src/transfer/source.ts'
import { collect, until } from './collect.ts'
import { makeKey } from './keys.ts'
import { recorder, startPair, startTransfer } from './peers.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop()
})

function sourceOn(host: string, port: number) {
  const record = recorder()
  return createSource({
    listen: { host, port },
    hostKey: makeKey().sshPem,
    catalogue: { servable: () => null },
    reader: {
      open: () => {
        throw new SyndError('superseded', 'nothing')
      },
    },
    authorized: () => [],
    rejected: record.rejected,
    log: record.log,
  })
}

test('a port that is in use is said by the name of its setting', async () => {
  const first = sourceOn('127.0.0.1', 0)
  await first.start()
  cleanups.push(() => first.stop())
  const second = sourceOn('127.0.0.1', first.port())
  await expect(second.start()).rejects.toMatchObject({
    code: 'address-in-use',
    message: expect.stringMatching(/^SYND_SSH_LISTEN: .*127\.0\.0\.1:\d+.*another process/),
  })
  await second.stop()
})

test('an address that is not ours is said too', async () => {
  const source = sourceOn('203.0.113.1', 0)
  await expect(source.start()).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining('SYND_SSH_LISTEN'),
  })
})

test('stop ends what is being sent, and may be called again', async () => {
  const peer = await startPair()
  cleanups.push(peer.stop)
  const large = peer.volume.put('large', Buffer.alloc(32 * 1024 * 1024))
  let stopping: Promise<void> | null = null
  const pulling = collect(peer.transfer, peer.target, [peer.volume.put('a', 'a'), large], {
    onResult: () => {
      stopping ??= peer.source.stop()
    },
  })
  expect(await pulling).toMatchObject({ kinds: ['pulled'], error: 'unreachable', left: 0 })
  await until(() => peer.opened.now === 0)
  await peer.source.stop()
})

test('a key that is authorized later is let in without a restart', async () => {
  const peer = await startPair()
  cleanups.push(peer.stop)
  const late = startTransfer({ trusted: [peer.key] })
  cleanups.push(() => late.transfer.stop())
  peer.authorized.push(late.key)
  const requests = [peer.volume.put('a', 'content')]
  expect((await collect(late.transfer, peer.target, requests)).kinds).toEqual(['pulled'])
})

test('what was served is told with the key it went to', async () => {
  const peer = await startPair()
  cleanups.push(peer.stop)
  const requests = [peer.volume.put('a', 'four'), peer.volume.put('b', '')]
  await collect(peer.transfer, peer.target, requests)
  await until(() => peer.served.length === 2)
  const key = peer.sink.key.fingerprint
  expect(peer.served).toEqual([
    { key, sizeBytes: 4 },
    { key, sizeBytes: 0 },
  ])
})

test('nothing is logged above debug for what strangers do', async () => {
  const peer = await startPair()
  cleanups.push(peer.stop)
  const stranger = startTransfer({ trusted: [peer.key] })
  cleanups.push(() => stranger.transfer.stop())
  await collect(stranger.transfer, peer.target, [peer.volume.put('a', 'content')])
  expect(peer.record.lines.filter(({ level }) => level !== 'debug')).toEqual([])
})
