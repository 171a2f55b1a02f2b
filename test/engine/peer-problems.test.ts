import { beforeEach, expect, test } from 'vitest'
import { SyndError } from '../../src/core/errors.ts'
import { reportPeerProblems } from '../../src/engine/peer-problems.ts'
import { peer } from '../core/build.ts'
import { FakeCaller } from './fake-links.ts'
import { engineParts } from './parts.ts'

const address = 'host-b:50051'
let parts: ReturnType<typeof engineParts>

beforeEach(() => {
  parts = engineParts()
  parts.peers.setAddresses([address], [])
})

function failWith(code: 'unreachable' | 'unresolved' | 'untrusted' | 'protocol' | null): void {
  const found = parts.peers.at(address)
  if (found === null) throw new Error('no peer')
  found.lastError = code === null ? null : { code, message: new SyndError(code, 'words').message }
}

function codes(): string[] {
  reportPeerProblems(parts)
  return parts.problems.all().map(({ code, message }) => `${code} ${message}`)
}

test.each([
  ['unreachable', 'peer-unreachable'],
  ['protocol', 'peer-unreachable'],
  ['unresolved', 'peer-unresolved'],
  ['untrusted', 'peer-untrusted'],
] as const)('a dial that failed as %s is listed as %s, and only as that', (failure, code) => {
  failWith(failure === 'unreachable' ? 'untrusted' : 'unreachable')
  codes()
  failWith(failure)
  expect(codes()).toEqual([`${code} ${address}: words`])
  failWith(null)
  expect(codes()).toEqual([])
})

test('names without an address and hosts without one are both listed, each until it has one', () => {
  parts.peers.setAddresses([address], ['dns:fleet:50051'])
  failWith('unresolved')
  expect(codes()).toEqual([
    'peer-unresolved dns:fleet:50051: no address found; check SYND_PEERS and the name service',
    `peer-unresolved ${address}: words`,
  ])
  parts.peers.setAddresses([address], [])
  expect(codes()).toEqual([`peer-unresolved ${address}: words`])
})

test('an address that is configured no longer has no problem', () => {
  failWith('unreachable')
  expect(codes()).toHaveLength(1)
  parts.peers.setAddresses([], [])
  expect(codes()).toEqual([])
})

test('a caller that is not listed is reported after a minute, and not when it is gone', async () => {
  parts.peers.setAddresses([], [])
  const link = new FakeCaller('b')
  const sinceMs = parts.clock.monotonicMs()
  parts.peers.callers.set(peer('b'), { link, sinceMs, toldSettled: null, toldDiverged: 0 })
  expect(codes()).toEqual([])
  await parts.time.pass(60_000)
  expect(codes()).toEqual([expect.stringMatching(/^peer-not-listed host b .*SYND_PEERS/)])
  parts.peers.callers.clear()
  expect(codes()).toEqual([])
})
