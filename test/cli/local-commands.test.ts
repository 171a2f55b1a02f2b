import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { HttpServer } from '../../src/observe/http/server.ts'
import type { StatusSource } from '../../src/observe/http/routes.ts'
import { sampleStatus } from '../observe/sample-status.ts'
import { synd } from './synd.ts'

const closing: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A server as the sidecar has it; gives the flag that names it. */
async function serve(changes: Partial<StatusSource> = {}, host = '127.0.0.1'): Promise<string> {
  const server = new HttpServer({
    listen: { host, port: 0 },
    source: {
      status: () => sampleStatus(),
      readiness: () => ({ ready: true, reason: null }),
      approve: () => 6,
      reject: () => 1,
      metrics: async () => '',
      ...changes,
    },
    log: () => {},
    rejected: () => {},
  })
  const { port } = await server.start()
  closing.push(() => server.stop())
  return `--http-listen=${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** A port where nobody listens. */
async function silentPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' ? (address?.port ?? 1) : 1
}

const commands = [['status'], ['status', '--json'], ['healthcheck'], ['approve'], ['reject']]

describe('when nothing runs', () => {
  test.each(commands)('%s is 1 and one line', async (...argv) => {
    const port = await silentPort()
    expect(await synd(...argv, `--http-listen=0.0.0.0:${port}`)).toEqual({
      code: 1,
      printed: [],
      complained: [
        `synd: nothing answers at 127.0.0.1:${port} (ECONNREFUSED): is synd running with this SYND_HTTP_LISTEN?`,
      ],
    })
  })

  test('a port that is chosen at start cannot be asked', async () => {
    const { code, complained } = await synd('healthcheck', '--http-listen=127.0.0.1:0')
    expect([code, complained.length]).toEqual([78, 1])
  })

  test('one that accepts and says nothing is given up after five seconds', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => void server.close())
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const { code, complained } = await synd('healthcheck', `--http-listen=127.0.0.1:${port}`)
    expect(code).toBe(1)
    expect(complained[0]).toContain('no answer in 5 s')
  })

  test('another program is told from synd', async () => {
    const server = createServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => void server.close())
    const address = server.address()
    const flag = `--http-listen=127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    for (const command of ['status', 'approve'])
      expect(await synd(command, flag)).toEqual({
        code: 1,
        printed: [],
        complained: ['synd: what answers at SYND_HTTP_LISTEN is no synd'],
      })
  })
})

test('healthcheck is 0 and silent when the peer is alive, also where it listens everywhere', async () => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::', '::1'])
    expect(await synd('healthcheck', await serve({}, host))).toEqual({
      code: 0,
      printed: [],
      complained: [],
    })
})

test('status --json is what the peer says', async () => {
  const { code, printed } = await synd('status', '--json', await serve())
  expect(code).toBe(0)
  expect(JSON.parse(printed.join('\n'))).toEqual(sampleStatus())
})

test('status tells it in words', async () => {
  const { code, printed } = await synd('status', await serve())
  expect(code).toBe(0)
  expect(printed[0]).toBe('host-a (aabbccddeeff0011), synd 1.2.3, send-only')
  expect(printed.join('\n')).toContain('host-b:50051 lacks 3 changes')
})

test('a status that fails is 1 and one line', async () => {
  const status = () => {
    throw new Error('x')
  }
  expect(await synd('status', await serve({ status }))).toEqual({
    code: 1,
    printed: [],
    complained: ['synd: the running synd answers 500: internal error'],
  })
})

test.each([
  ['approve', 6, 'approved: 6 entries will be deleted on the peers'],
  ['approve', 1, 'approved: 1 entry will be deleted on the peers'],
  ['approve', 0, 'no deletes are held back'],
  ['reject', 6, 'rejected: 6 entries will be taken back from the peers'],
  ['reject', 0, 'there is nothing to take back'],
])('%s of %d held deletes', async (command, count, line) => {
  const flag = await serve({ approve: () => count, reject: () => count })
  expect(await synd(command, flag)).toEqual({ code: 0, printed: [line], complained: [] })
})

test('a refusal is passed on', async () => {
  const flag = (await serve({}, '0.0.0.0')).replace('0.0.0.0', '127.0.0.3')
  const { code, complained } = await synd('approve', flag)
  expect(code).toBe(1)
  expect(complained).toEqual([
    'synd: the running synd refuses (403): only from this host, over its loopback address',
  ])
})
