import { createServer } from 'node:net'
import { describe, expect, test, type TestContext } from 'vitest'
import { FakeEngine } from '../conformance/fake-engine.ts'
import { Forwarder } from './forwarder.ts'
import { until } from './real-time.ts'
import {
  authorizeEachOther,
  hostAddress,
  makeIdentity,
  openNetwork,
  type Identity,
  type TestNetwork,
} from './world.ts'

/** The networks and doors of one test, stopped when it is over. */
function hostsOf(onTestFinished: TestContext['onTestFinished']) {
  return {
    start: async (network: TestNetwork, engine: FakeEngine): Promise<TestNetwork> => {
      onTestFinished(() => network.stop())
      await network.start(engine)
      return network
    },
    door: async (): Promise<Forwarder> => {
      const forwarder = await new Forwarder().start()
      onTestFinished(() => forwarder.stop())
      return forwarder
    },
  }
}

async function friends(): Promise<[Identity, Identity]> {
  const [a, b] = [await makeIdentity(), await makeIdentity()]
  await authorizeEachOther(a, b)
  return [a, b]
}

test('a peer restarted on its port is back within seconds', async ({ onTestFinished }) => {
  const { start } = hostsOf(onTestFinished)
  const [a, b] = await friends()
  const dialling = new FakeEngine('b')
  const first = openNetwork(a.credentials)
  await first.start(new FakeEngine('a'))
  await start(openNetwork(b.credentials, { peers: [hostAddress(first.port)] }), dialling)
  await until(() => dialling.outbound.length === 1)
  await first.stop()
  await until(() => dialling.ended.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const sinceMs = performance.now()
  const listen = { host: '127.0.0.1', port: first.port }
  await start(openNetwork(a.credentials, { listen }), new FakeEngine('a'))
  await until(() => dialling.outbound.length === 2)
  expect(performance.now() - sinceMs).toBeLessThan(5000)
})

test('whoever says Hello is dialled at once, however long one had waited', async ({
  onTestFinished,
}) => {
  const { start, door } = hostsOf(onTestFinished)
  const [a, b] = await friends()
  const [engineA, engineB] = [new FakeEngine('a'), new FakeEngine('b')]
  const doorB = await door()
  // The first wait is 37 s.
  const slow = { id64: () => '', fraction: () => 300 }
  const networkA = await start(
    openNetwork(a.credentials, { peers: [hostAddress(doorB.port)], chance: slow }),
    engineA,
  )
  await until(() => engineA.failures.length === 1)
  const sinceMs = performance.now()
  const doorA = await door()
  const peers = [hostAddress(doorA.port)]
  const networkB = await start(openNetwork(b.credentials, { peers }), engineB)
  doorB.pointTo(networkB.port)
  doorA.pointTo(networkA.port)
  await until(() => engineA.outbound.length === 1)
  expect(performance.now() - sinceMs).toBeLessThan(20_000)
})

test.concurrent('a peer that accepts and is silent costs one socket, and is found when it is healthy again', async ({
  onTestFinished,
}) => {
  const { start, door } = hostsOf(onTestFinished)
  const [a, b] = await friends()
  const engine = new FakeEngine('a')
  const silent = await door()
  silent.isSilent = true
  const network = await start(openNetwork(b.credentials), new FakeEngine('b'))
  await start(openNetwork(a.credentials, { peers: [hostAddress(silent.port)] }), engine)
  await until(() => engine.failures.length === 1)
  expect(engine.failures[0]).toMatchObject({ code: 'unreachable' })
  await until(() => silent.accepted === 2)
  expect(silent.open).toBe(1)
  silent.isSilent = false
  silent.pointTo(network.port)
  // The dial under way hangs on the silent socket until it is given up.
  await until(() => engine.outbound.length === 1)
})

test.concurrent('a peer that stops in the middle is noticed on both sides, and comes back', async ({
  onTestFinished,
}) => {
  const { start, door } = hostsOf(onTestFinished)
  const [a, b] = await friends()
  const [engineA, engineB] = [new FakeEngine('a'), new FakeEngine('b')]
  const between = await door()
  const network = await start(openNetwork(b.credentials), engineB)
  between.pointTo(network.port)
  await start(openNetwork(a.credentials, { peers: [hostAddress(between.port)] }), engineA)
  await until(() => engineA.outbound.length === 1 && engineB.inbound.length === 1)
  between.freeze()
  const sinceMs = performance.now()
  await until(() => engineA.ended.length === 1 && engineB.ended.length === 1)
  expect(performance.now() - sinceMs).toBeGreaterThan(3000)
  between.thaw()
  await until(() => engineA.outbound.length === 2 && engineB.inbound.length === 2)
})

test.concurrent('a name that has moved to another address is found there', async ({
  onTestFinished,
}) => {
  const { start } = hostsOf(onTestFinished)
  const [a, b] = await friends()
  const engine = new FakeEngine('a')
  const first = openNetwork(b.credentials)
  await first.start(new FakeEngine('b'))
  const { port } = first
  let found = ['127.0.0.1']
  const peers = [{ kind: 'dns', name: 'b.example', port } as const]
  const lookup = async () => found
  await start(openNetwork(a.credentials, { peers, lookup }), engine)
  await until(() => engine.outbound.length === 1)
  expect(engine.outbound[0]).toMatchObject({ address: `127.0.0.1:${port}`, host: '127.0.0.1' })
  await first.stop()
  found = ['127.0.0.2']
  const listen = { host: '127.0.0.2', port }
  await start(openNetwork(b.credentials, { listen }), new FakeEngine('b'))
  await until(() => engine.outbound.length === 2)
  expect(engine.outbound[1]?.address).toBe(`127.0.0.2:${port}`)
  expect(engine.addresses.at(-1)).toEqual({ addresses: [`127.0.0.2:${port}`], unresolved: [] })
})

test('a host that has no address is said to have none', async ({ onTestFinished }) => {
  const { start } = hostsOf(onTestFinished)
  const engine = new FakeEngine('a')
  const peers = [hostAddress(50051, 'host-b.invalid')]
  await start(openNetwork((await makeIdentity()).credentials, { peers }), engine)
  await until(() => engine.failures.length > 0)
  expect(engine.failures[0]).toMatchObject({
    code: 'unresolved',
    message: expect.stringContaining('host-b.invalid'),
  })
})

test('a port that is in use is said with the name of its setting', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const network = openNetwork(null, { listen: { host: '127.0.0.1', port } })
  await expect(network.start(new FakeEngine('a'))).rejects.toMatchObject({
    code: 'address-in-use',
    message: expect.stringMatching(/^SYND_GRPC_LISTEN: 127\.0\.0\.1:\d+ is in use/),
  })
  await network.stop()
  other.close()
  const nowhere = openNetwork(null, { listen: { host: '192.0.2.1', port: 0 } })
  await expect(nowhere.start(new FakeEngine('a'))).rejects.toMatchObject({ code: 'bad-settings' })
  await nowhere.stop()
})

describe('stopping takes no more than a second', () => {
  test('while peers hang in every way', async ({ onTestFinished }) => {
    const { start, door } = hostsOf(onTestFinished)
    const [a, b] = await friends()
    const engine = new FakeEngine('a')
    const other = new FakeEngine('b')
    other.takes = 'nothing'
    const network = await start(openNetwork(b.credentials), other)
    const silent = await door()
    silent.isSilent = true
    const frozen = await door()
    frozen.pointTo(network.port)
    const peers = [silent, frozen].map(({ port }) => hostAddress(port))
    const stopping = openNetwork(a.credentials, {
      peers: [...peers, hostAddress(1), hostAddress(9, '192.0.2.1')],
    })
    await stopping.start(engine)
    await until(() => engine.outbound.length === 1 && silent.accepted === 1)
    frozen.freeze()
    const sinceMs = performance.now()
    await stopping.stop()
    expect(performance.now() - sinceMs).toBeLessThan(3000)
    await until(() => silent.open === 0)
  })

  test('while the engine does not leave its links', async ({ onTestFinished }) => {
    const { start } = hostsOf(onTestFinished)
    const [a, b] = await friends()
    const stuck = new FakeEngine('b')
    stuck.takes = 'nothing'
    const network = openNetwork(b.credentials)
    await network.start(stuck)
    await start(
      openNetwork(a.credentials, { peers: [hostAddress(network.port)] }),
      new FakeEngine('a'),
    )
    await until(() => stuck.inbound.length === 1)
    const sinceMs = performance.now()
    await network.stop()
    expect(performance.now() - sinceMs).toBeLessThan(3000)
  })

  test('before it was started, and twice', async () => {
    const network = openNetwork(null)
    await network.stop()
    await network.stop()
  })
})
