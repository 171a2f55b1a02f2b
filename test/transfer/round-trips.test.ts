import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { PullRequest, PullTarget } from '../../src/engine/ports.ts'
import { parseKnownHosts } from '../../src/identity/known-hosts.ts'
import type { ScpTransfer } from '../../src/transfer/pull.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { collect } from './collect.ts'
import { makeKey } from './keys.ts'
import { startPair, startTransfer } from './peers.ts'
import { startSshd } from './sshd.ts'
import { tcpProxy } from './tcp-proxy.ts'
import { describeWith } from './tools.ts'
import { volumeSource } from './volume-source.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop()
})

interface Distant {
  readonly transfer: ScpTransfer
  readonly target: PullTarget
  readonly turns: () => number
  readonly put: (path: string, content: string) => PullRequest
}

/** Far enough that what is sent in one go arrives in one go, and that nothing is answered by chance. */
const delayMs = 20

async function distantSynd(): Promise<Distant> {
  const { stop, port, target, transfer, volume } = await startPair()
  cleanups.push(stop)
  const proxy = await tcpProxy(port, { delayMs })
  cleanups.push(proxy.stop)
  return {
    transfer,
    target: { ...target, source: { kind: 'embedded', port: proxy.port } },
    turns: proxy.turns,
    put: volume.put,
  }
}

async function distantSshd(): Promise<Distant> {
  const member = makeKey()
  const directory = temporaryDirectory()
  cleanups.push(directory.remove)
  const root = join(directory.path, 'volume')
  mkdirSync(root)
  const sshd = await startSshd({ member, root })
  cleanups.push(sshd.stop)
  const proxy = await tcpProxy(sshd.port, { delayMs })
  cleanups.push(proxy.stop)
  const knownHosts = sshd.knownHosts.replaceAll(`:${sshd.port} `, `:${proxy.port} `)
  const { transfer } = startTransfer({ key: member, knownHosts: parseKnownHosts(knownHosts) })
  cleanups.push(() => transfer.stop())
  const { source } = sshd.target
  if (source.kind !== 'openssh') throw new Error('no stock sshd')
  return {
    transfer,
    target: { ...sshd.target, source: { ...source, port: proxy.port } },
    turns: proxy.turns,
    put: volumeSource(root).put,
  }
}

/** Round trips that it takes to pull so many files on a connection that is there. */
async function roundTripsOf({ transfer, target, turns, put }: Distant, count: number) {
  await collect(transfer, target, [put('first', 'first')])
  const requests = Array.from({ length: count }, (_, n) => put(`${count}/${n}`, `content ${n}`))
  const before = turns()
  const { kinds } = await collect(transfer, target, requests)
  expect(kinds.filter((kind) => kind === 'pulled')).toHaveLength(count)
  return turns() - before
}

// A channel, the command with its answers, the window, the end: none of it a file.
const mostRoundTrips = 8

test('200 files of a Synd take as many round trips as one', async () => {
  const synd = await distantSynd()
  expect(await roundTripsOf(synd, 1)).toBeLessThanOrEqual(mostRoundTrips)
  expect(await roundTripsOf(synd, 200)).toBeLessThanOrEqual(mostRoundTrips)
})

describeWith(['sshd', 'scp'], 'a stock sshd', () => {
  test('sends 200 files in as many round trips as one', async () => {
    const sshd = await distantSshd()
    expect(await roundTripsOf(sshd, 1)).toBeLessThanOrEqual(mostRoundTrips)
    expect(await roundTripsOf(sshd, 200)).toBeLessThanOrEqual(mostRoundTrips)
  })
})
