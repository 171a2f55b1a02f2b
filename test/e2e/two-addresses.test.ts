import { afterEach, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { until } from './wait.ts'

/** A host with several addresses (two networks, IPv4 and IPv6) is one peer, whatever leads to it. */

let cluster: Cluster

afterEach(async () => cluster.stop())

test('a peer that is listed under two addresses has one link, and either address will do', async () => {
  let port = 0
  cluster = await Cluster.make(['alpha', 'beta'], {
    listing: (_from, to, grpcPort) => {
      if (to === 'beta') port = grpcPort
      return grpcPort
    },
    morePeers: (name) => (name === 'alpha' ? [`localhost:${port}`] : []),
  })
  await cluster.start()
  const [alpha, beta] = [cluster.member('alpha'), cluster.member('beta')]
  await cluster.untilInSync()
  const disconnects = (): number => alpha.process.output.split('peer disconnected').length - 1
  const atFirst = disconnects()
  for (let n = 0; n < 30; n++) {
    alpha.hands.write(`${n}`, 'here')
    await until(() => (beta.hands.read(`${n}`) === 'here' ? null : `${n} is not there`))
    await cluster.untilInSync()
  }
  expect(disconnects()).toBe(atFirst)
  const status = await alpha.process.status()
  expect(status?.peers.map(({ connected, inSync }) => [connected, inSync])).toEqual([
    [true, true],
    [true, true],
  ])

  await beta.process.kill()
  await until(async () => {
    const seen = await alpha.process.status()
    return seen?.peers.every(({ connected }) => !connected) === true ? null : 'is still connected'
  })
  beta.process.start()
  alpha.hands.write('later', 'here')
  await cluster.untilInSync()
  expect(beta.hands.read('later')).toBe('here')
})
