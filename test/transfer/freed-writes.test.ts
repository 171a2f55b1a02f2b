import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freeWritten } from '../../src/transfer/source/freed-writes.ts'

const server = createServer()
let sender: Socket
let receiver: Socket

beforeEach(async () => {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection')
  receiver = connect(port, '127.0.0.1')
  ;[sender] = (await accepted) as [Socket]
  freeWritten(sender)
})

afterEach(async () => {
  receiver.destroy()
  sender.destroy()
  await new Promise((resolve) => void server.close(resolve))
})

test('large packets arrive whole, and their memory is given back once they are written', async () => {
  const packets = Array.from({ length: 100 }, (_, n) => Buffer.allocUnsafeSlow(32 * 1024).fill(n))
  const sent = Buffer.concat(packets)
  for (const packet of packets) sender.write(packet)
  sender.end()
  const parts: Buffer[] = []
  for await (const part of receiver) parts.push(part)
  expect(Buffer.concat(parts).equals(sent)).toBe(true)
  expect(packets.map(({ byteLength }) => byteLength)).toEqual(packets.map(() => 0))
})

test('a packet of which somebody hears when it is written stays, and so do parts of others', async () => {
  const shared = Buffer.allocUnsafeSlow(64 * 1024).fill(1)
  const told = Buffer.allocUnsafeSlow(32 * 1024).fill(2)
  receiver.resume()
  sender.write(shared.subarray(0, 32 * 1024))
  await new Promise((resolve) => void sender.write(told, resolve))
  expect([shared.byteLength, told.byteLength]).toEqual([64 * 1024, 32 * 1024])
  expect(shared.every((byte) => byte === 1)).toBe(true)
})
