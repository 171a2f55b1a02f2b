import { Client, credentials as grpcCredentials, status } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import { FakeEngine } from '../conformance/fake-engine.ts'
import { RawClient } from './raw-client.ts'
import { until } from './real-time.ts'
import { authorizeEachOther, makeIdentity, openNetwork } from './world.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop()
})

/** Bytes as the standard says: one field of HealthCheckRequest, `service`, and one of HealthCheckResponse, `status`. */
function asking(service: string): Buffer {
  return Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)])
}
const serving = Buffer.from([0x08, 1])
const notServing = Buffer.from([0x08, 2])
const serviceUnknown = Buffer.from([0x08, 3])

const asIs = (message: Buffer) => message

async function served() {
  const [self, member] = [await makeIdentity(), await makeIdentity()]
  cleanups.push(() => self.credentials.stop())
  cleanups.push(() => member.credentials.stop())
  await authorizeEachOther(self, member)
  const state = { isReady: true }
  const network = openNetwork(self.credentials, { isReady: () => state.isReady })
  await network.start(new FakeEngine('a'))
  cleanups.push(() => network.stop())
  const raw = new RawClient({ port: network.port, identity: member })
  cleanups.push(() => raw.close())
  return { self, member, state, network, raw }
}

/** What a Watch was told, as it comes; `code` once it has ended. */
function watch(client: Client, service: string) {
  const seen: { told: Buffer[]; code: number | null } = { told: [], code: null }
  const path = '/grpc.health.v1.Health/Watch'
  const stream = client.makeServerStreamRequest(path, asIs, asIs, asking(service))
  stream.on('data', (message: Buffer) => seen.told.push(message))
  stream.on('error', () => undefined)
  stream.on('status', ({ code }) => (seen.code = code))
  return seen
}

const check = '/grpc.health.v1.Health/Check'

test('a peer that asks is told whether this one is ready', async () => {
  const { state, raw } = await served()
  for (const service of ['', 'synd.v1.Synd']) {
    state.isReady = true
    expect(await raw.call(check, asking(service))).toEqual(serving)
    state.isReady = false
    expect(await raw.call(check, asking(service))).toEqual(notServing)
  }
  expect(await raw.call(check, asking('synd.v1.Other'))).toBe(status.NOT_FOUND)
  expect(await raw.call('/grpc.health.v1.Health/List', Buffer.alloc(0))).toBe(status.UNIMPLEMENTED)
})

test('a peer that watches is told of every change', async () => {
  const { state, raw } = await served()
  const seen = watch(raw.client, '')
  const other = watch(raw.client, 'synd.v1.Other')
  await until(() => seen.told.length === 1)
  state.isReady = false
  await until(() => seen.told.length === 2)
  state.isReady = true
  await until(() => seen.told.length === 3)
  expect(seen).toEqual({ told: [serving, notServing, serving], code: null })
  expect(other).toEqual({ told: [serviceUnknown], code: null })
})

test('who is no peer, or no longer one, is told nothing', async () => {
  const { self, state, raw, network } = await served()
  const seen = watch(raw.client, '')
  await until(() => seen.told.length === 1)
  self.authorize(self)
  await until(() => seen.code !== null)
  state.isReady = false
  expect(seen.told).toEqual([serving])
  expect(await raw.call(check, asking(''))).toBe(status.UNAVAILABLE)

  const stranger = await makeIdentity()
  cleanups.push(() => stranger.credentials.stop())
  await authorizeEachOther(stranger)
  const strange = new RawClient({ port: network.port, identity: stranger })
  cleanups.push(() => strange.close())
  expect(await strange.call(check, asking(''))).toBe(status.UNAVAILABLE)
})

test('with TLS off everybody is told', async () => {
  const network = openNetwork(null)
  await network.start(new FakeEngine('a'))
  cleanups.push(() => network.stop())
  const client = new Client(`127.0.0.1:${network.port}`, grpcCredentials.createInsecure())
  cleanups.push(() => client.close())
  const seen = watch(client, '')
  await until(() => seen.told.length === 1)
  expect(seen.told).toEqual([serving])
})
