import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { until } from '../e2e/wait.ts'
import { exec, rawClient } from '../transfer/raw-client.ts'
import { besiege, type Siege } from './siege.ts'

/*
 * Strangers and members by the thousand at the SSH port of a real sidecar, while a real peer, and one who comes anew, are served.
 */

let siege: Siege

beforeAll(async () => {
  siege = await besiege()
})
afterAll(() => siege.stop())

/** Whoever floods competes with itself: peers have other addresses. */
const elsewhere = '127.0.0.66'

function dial(text: string): Socket {
  const address = { host: '127.0.0.1', localAddress: elsewhere, port: siege.victim.ports.ssh }
  const socket = connect(address)
  socket.on('error', () => {})
  if (text !== '') socket.write(text)
  socket.resume()
  return socket
}

describe('strangers', () => {
  test.each([
    ['nothing', ''],
    ['who they are', 'SSH-2.0-idle\r\n'],
  ])('a thousand who say %s and wait keep nobody out', async (_, text) => {
    const before = await siege.rejected('ssh', 'connection-limit')
    const memory = siege.watchMemory()
    const idle = Array.from({ length: 1000 }, () => dial(text))
    await siege.expectServed()
    await siege.untilRejected('ssh', 'connection-limit', before + 800)
    await siege.expectServed()
    for (const socket of idle) socket.destroy()
    memory.expectSmall()
  })

  test('a thousand connections a second keep nobody out', async () => {
    const memory = siege.watchMemory()
    let dialled = 0
    const open = new Set<Socket>()
    const storm = setInterval(() => {
      for (let count = 0; count < 100; count++) {
        const socket = dial(dialled++ % 2 === 0 ? 'SSH-2.0-x\r\n' : 'GET / HTTP/1.1\r\n\r\n')
        open.add(socket)
        socket.on('close', () => open.delete(socket))
      }
    }, 100)
    for (let count = 0; count < 3; count++) await siege.expectServed()
    await until(() => (dialled >= 2000 ? null : `${dialled} dialled`))
    await siege.expectServed()
    clearInterval(storm)
    for (const socket of open) socket.destroy()
    memory.expectSmall()
  })
})

test('a member with endless windows on sixteen channels that reads nothing holds little memory', async () => {
  siege.victim.hands.write('large', 'x'.repeat(8 * 1024 * 1024))
  const honest = siege.cluster.member('honest')
  await until(() => (honest.hands.read('large')?.length === 8 * 1024 * 1024 ? null : 'not there'))
  const memory = siege.watchMemory()
  const { client, socket, protocol } = await rawClient(siege.victim.ports.ssh, {
    key: siege.attacker.key,
  })
  const open = protocol.session.bind(protocol)
  protocol.session = (channel, _window, packetSize) => open(channel, 2 ** 32 - 1, packetSize)
  const channels = await Promise.all(Array.from({ length: 16 }, () => exec(client, 'scp -f large')))
  socket.pause()
  for (const channel of channels) if (typeof channel !== 'string') channel.write('\0\0\0\0')
  for (let count = 0; count < 3; count++) await siege.expectServed()
  memory.expectSmall()
  socket.destroy()
})
