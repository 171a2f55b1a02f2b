import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { knownRejections } from '../../src/observe/reasons.ts'
import type { HttpLimits } from '../../src/observe/http/server.ts'
import { sampleStatus } from './sample-status.ts'
import { ask, dial, establishedAt, raw, readAll, type Running, serve } from './served.ts'

/** What Node itself would refuse without counting it, or would let pass. */
describe('refused and counted:', () => {
  const live = 'GET /livez HTTP/1.1\r\n'
  const twoHosts = 'Host: localhost\r\nHost: evil.example\r\n'
  const refused: readonly (readonly [string, string, number, string])[] = [
    ['HTTP/1.1 without Host', `${live}\r\n`, 400, 'host'],
    ['an empty Host', `${live}Host:\r\n\r\n`, 400, 'host'],
    ['a Host of spaces', `${live}Host:   \r\n\r\n`, 400, 'host'],
    ['two Hosts', `${live}${twoHosts}\r\n`, 400, 'host'],
    ['the same Host twice', `${live}Host: localhost\r\nhost: localhost\r\n\r\n`, 400, 'host'],
    ['two Hosts in HTTP/1.0', `GET /livez HTTP/1.0\r\n${twoHosts}\r\n`, 400, 'host'],
    ['two Hosts for /status', `GET /status HTTP/1.1\r\n${twoHosts}\r\n`, 400, 'host'],
    ['two Hosts for /approve', `POST /approve HTTP/1.1\r\n${twoHosts}\r\n`, 400, 'host'],
    ['two Hosts for /reject', `POST /reject HTTP/1.1\r\n${twoHosts}\r\n`, 400, 'host'],
    [
      'an expectation',
      `${live}Host: x\r\nConnection: close\r\nExpect: foo\r\n\r\n`,
      417,
      'expectation',
    ],
    [
      'an expectation with a body',
      'POST /approve HTTP/1.1\r\nHost: localhost\r\nExpect: foo\r\nContent-Length: 9\r\n\r\n',
      417,
      'expectation',
    ],
    ['a tunnel', 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n', 405, 'method'],
    ['a tunnel without Host', 'CONNECT x:1 HTTP/1.1\r\n\r\n', 405, 'method'],
    ['a tunnel and bytes for it', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\nbytes', 405, 'method'],
    ['a tunnel to a path', 'CONNECT /approve HTTP/1.1\r\nHost: localhost\r\n\r\n', 405, 'method'],
  ]
  test.each(refused)('%s', async (_, bytes, status, reason) => {
    const { port, rejected, calls } = await serve()
    expect(await raw(port, bytes)).toMatch(
      new RegExp(`^HTTP/1.1 ${status} [^]*\r\nConnection: close\r\n`, 'i'),
    )
    expect(rejected).toEqual([`http ${reason}`])
    expect(knownRejections['http']).toContain(reason)
    expect(calls).toEqual([])
  })

  test('a tunnel is told what is allowed', async () => {
    const { port } = await serve()
    expect(await raw(port, 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(
      /\r\nAllow: GET, HEAD\r\n/,
    )
  })

  test('HTTP/1.0 without Host, and waiting for "100 Continue", are answered', async () => {
    const { port, rejected } = await serve()
    expect(await raw(port, 'GET /livez HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /)
    const waiting = 'Host: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n'
    expect(await raw(port, `GET /livez HTTP/1.1\r\n${waiting}`)).toMatch(/HTTP\/1.1 200 /)
    expect(rejected).toEqual([])
  })
})

describe('a caller who asks for a tunnel behind an answer that is not read', () => {
  /** Node no longer looks after this connection, and what is to be sent on it is stuck. */
  async function stick(
    limits: Partial<HttpLimits>,
  ): Promise<Running & { readonly socket: Socket }> {
    const running = await serve({ metrics: async () => 'x'.repeat(50_000_000) }, limits)
    const socket = dial(running.port)
    await once(socket, 'connect')
    socket.pause()
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(() => socket.readableLength).toBeGreaterThan(0)
    socket.write('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(() => running.rejected).toEqual(['http method'])
    return { ...running, socket }
  }

  test('is given up', async () => {
    const { port, socket } = await stick({ idleMs: 300 })
    await expect.poll(() => establishedAt(port), { timeout: 5000 }).toBe(0)
    expect((await readAll(socket.resume())).length).toBeLessThan(50_000_000)
  })

  test('may break off', async () => {
    const { port, socket } = await stick({})
    socket.resetAndDestroy()
    await expect.poll(() => establishedAt(port)).toBe(0)
    expect((await ask(port, { path: '/livez' })).status).toBe(200)
  })

  test('does not keep the server from stopping', async () => {
    const { socket, stop } = await stick({ idleMs: 600_000 })
    await stop()
    await readAll(socket.resume())
  }, 10_000)
})

describe('/status over loopback', () => {
  const hosts = ['localhost', 'LOCALHOST:9464', '127.0.0.1', '127.8.9.10:9464', '[::1]:9464']
  test.each(hosts)('has file names when it is asked as %s', async (host) => {
    const { port } = await serve()
    const { body } = await ask(port, { path: '/status', headers: { host } })
    expect(JSON.parse(body)).toEqual(sampleStatus())
  })

  test.each([
    'evil.example',
    'evil.example:9464',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '1127.0.0.1',
    '128.0.0.1',
    'localhost@evil.example',
    'localhost, evil.example',
    '[::2]',
    'localhost:9464:9464',
    'localhost:',
  ])('has none when it is asked as %s, as a rebound name is, and is no refusal', async (host) => {
    const { port, rejected } = await serve()
    const { status, body } = await ask(port, { path: '/status', headers: { host } })
    expect(status).toBe(200)
    expect(body).not.toContain('secret')
    expect(JSON.parse(body)).toMatchObject({ problems: 2, conflicts: 1 })
    expect(rejected).toEqual([])
  })

  test('has none in HTTP/1.0 without Host', async () => {
    const { port } = await serve()
    const reply = await raw(port, 'GET /status HTTP/1.0\r\n\r\n')
    expect(reply).toMatch(/^HTTP\/1.1 200 [^]*"conflicts": 1/)
    expect(reply).not.toContain('secret')
  })
})
