import { once } from 'node:events'
import type { RequestOptions } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { SyndError } from '../../src/core/errors.ts'
import type { Status } from '../../src/core/status.ts'
import { HttpServer } from '../../src/observe/http/server.ts'
import { sampleStatus } from './sample-status.ts'
import { ask, closing, dial, elsewhere, establishedAt, raw, readAll, serve } from './served.ts'

describe('paths', () => {
  test('/livez is 200 whatever the status', async () => {
    const status = (): Status => {
      throw new Error('broken')
    }
    const { port } = await serve({ status })
    expect(await ask(port, { path: '/livez' })).toMatchObject({ status: 200, body: 'ok\n' })
  })

  test('/startupz is 200 once it has started', async () => {
    let isStarted = false
    const { port } = await serve({ status: () => sampleStatus({ isStarted }) })
    expect((await ask(port, { path: '/startupz' })).status).toBe(503)
    isStarted = true
    expect((await ask(port, { path: '/startupz' })).status).toBe(200)
  })

  test('/readyz is 503 with the reason until it is ready', async () => {
    let reason: string | null = 'the volume is missing'
    const { port } = await serve({ readiness: () => ({ ready: reason === null, reason }) })
    expect(await ask(port, { path: '/readyz' })).toMatchObject({
      status: 503,
      body: 'the volume is missing\n',
    })
    reason = null
    expect(await ask(port, { path: '/readyz' })).toMatchObject({ status: 200, body: 'ok\n' })
  })

  test('/status is the whole status for callers on this host', async () => {
    const { port } = await serve()
    const { status, body, headers } = await ask(port, { path: '/status' })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    expect(JSON.parse(body)).toEqual(sampleStatus())
  })

  test('/status leaves paths out for callers from other hosts', async () => {
    const volume = { ...sampleStatus().volume, haltedBecause: '/srv/secret-volume is missing' }
    const { port } = await serve({ status: () => sampleStatus({ volume }) })
    const { status, body } = await ask(port, { path: '/status', ...elsewhere })
    expect(status).toBe(200)
    expect(body).not.toContain('secret')
    const shown = JSON.parse(body)
    expect(shown).toMatchObject({
      problems: 2,
      conflicts: 1,
      inSync: false,
      peers: sampleStatus().peers,
    })
    expect(shown.volume).toMatchObject({ files: 11, haltedBecause: 'the volume is missing' })
  })

  test('/metrics is in the format that is asked for', async () => {
    const { port } = await serve()
    const plain = await ask(port, { path: '/metrics?x=1' })
    expect(plain).toMatchObject({ status: 200, body: '# prometheus\n' })
    expect(plain.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    const open = await ask(port, {
      path: '/metrics',
      headers: { accept: 'application/openmetrics-text' },
    })
    expect(open.body).toBe('# openmetrics\n')
    expect(open.headers['content-type']).toMatch(/^application\/openmetrics-text; version=1.0.0/)
  })

  test.each([
    '/',
    '/metrics/',
    '//metrics',
    '/METRICS',
    '/approve/x',
    '/../status',
    '/%73tatus',
    '/.git/config',
    '/__proto__',
  ])('%s is not found', async (path) => {
    const { port, rejected } = await serve()
    expect(await ask(port, { path })).toMatchObject({ status: 404, body: 'not found\n' })
    expect(rejected).toEqual(['http path'])
  })
})

describe('methods', () => {
  const reads = ['/livez', '/startupz', '/readyz', '/status', '/metrics']

  test.each(reads)('HEAD %s has the headers of GET and no body', async (path) => {
    const { port } = await serve()
    const get = await ask(port, { path })
    const head = await ask(port, { path, method: 'HEAD' })
    expect(head.status).toBe(get.status)
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(get.body)))
    expect(head.body).toBe('')
  })

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    '%s on a read is refused',
    async (method) => {
      const { port, rejected } = await serve()
      for (const path of reads) {
        const { status, headers } = await ask(port, { path, method })
        expect([path, status, headers['allow']]).toEqual([path, 405, 'GET, HEAD'])
      }
      expect(rejected).toEqual(reads.map(() => 'http method'))
    },
  )

  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])(
    '%s on /approve and /reject changes nothing',
    async (method) => {
      const { port, calls } = await serve()
      for (const path of ['/approve', '/reject']) {
        const { status, headers } = await ask(port, { path, method })
        expect([status, headers['allow']]).toEqual([405, 'POST'])
      }
      expect(calls).toEqual([])
    },
  )

  test('plain nonsense is refused, and an upgrade is answered as if it had not been asked for', async () => {
    const { port, rejected } = await serve()
    expect(await raw(port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    expect(await raw(port, '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001')).toMatch(
      /^HTTP\/1.1 400 /,
    )
    expect(rejected).toEqual(['http malformed', 'http malformed'])
    for (const upgrade of ['h2c', 'websocket'])
      expect(
        (await ask(port, { path: '/livez', headers: { connection: 'upgrade', upgrade } })).status,
      ).toBe(200)
    expect(rejected).toHaveLength(2)
  })
})

describe('approve and reject', () => {
  test('are taken from this host', async () => {
    const { port, calls } = await serve()
    const approved = await ask(port, { path: '/approve', method: 'POST' })
    expect([approved.status, JSON.parse(approved.body)]).toEqual([200, { approved: 6 }])
    const rejected = await ask(port, {
      path: '/reject',
      method: 'POST',
      headers: { host: `localhost:${port}` },
    })
    expect([rejected.status, JSON.parse(rejected.body)]).toEqual([200, { rejected: 5 }])
    expect(calls).toEqual(['approve', 'reject'])
  })

  test('say what keeps them from being done, in words', async () => {
    const volume = new SyndError('volume-missing', 'the volume "/data" is gone')
    const refuse = (): Promise<number> => Promise.reject(volume)
    const { port } = await serve({ approve: refuse, reject: refuse })
    for (const path of ['/approve', '/reject']) {
      const { status, body } = await ask(port, { path, method: 'POST' })
      expect([status, body]).toEqual([503, 'the volume "/data" is gone\n'])
    }
  })

  test('are taken over IPv6 loopback and over a socket that takes both', async () => {
    const { port, calls } = await serve({}, {}, '::')
    for (const host of ['::1', '127.0.0.1'])
      expect((await ask(port, { host, path: '/approve', method: 'POST' })).status).toBe(200)
    expect(calls).toHaveLength(2)
  })

  const port0 = (port: number) => `127.0.0.1:${port}`
  const refused: readonly (readonly [string, (port: number) => RequestOptions, string])[] = [
    ['another host', () => elsewhere, 'not-local'],
    [
      'another host that claims to be this one',
      () => ({
        ...elsewhere,
        headers: { host: 'localhost', 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' },
      }),
      'not-local',
    ],
    ['a rebound name', (port) => ({ headers: { host: `evil.example:${port}` } }), 'host'],
    [
      'a name that begins like this host',
      () => ({ headers: { host: 'localhost.evil.example' } }),
      'host',
    ],
    ['an address that ends like this host', () => ({ headers: { host: '1127.0.0.1' } }), 'host'],
    [
      'a page of another site',
      (port) => ({ headers: { host: port0(port), origin: 'https://evil.example' } }),
      'origin',
    ],
    [
      'a page of another program here',
      (port) => ({ headers: { host: port0(port), origin: 'http://127.0.0.1:1' } }),
      'origin',
    ],
    [
      'a page without an origin of its own',
      (port) => ({ headers: { host: port0(port), origin: 'null' } }),
      'origin',
    ],
  ]
  test.each(refused)('are refused from %s', async (_, options, reason) => {
    const { port, rejected, calls } = await serve()
    for (const path of ['/approve', '/reject']) {
      const reply = await ask(port, { path, method: 'POST', ...options(port) })
      expect(reply).toMatchObject({
        status: 403,
        body: 'only from this host, over its loopback address\n',
      })
    }
    expect(calls).toEqual([])
    expect(rejected).toEqual([`http ${reason}`, `http ${reason}`])
  })
})

test('an error inside is logged and answered without saying what', async () => {
  const status = (): Status => {
    throw new Error('no such file /srv/secret-volume')
  }
  const { port, logged } = await serve({ status })
  expect(await ask(port, { path: '/status' })).toMatchObject({
    status: 500,
    body: 'internal error\n',
  })
  expect(logged).toHaveLength(1)
})

describe('one caller cannot keep others out', () => {
  test('64 KB of headers are refused', async () => {
    const { port, rejected } = await serve()
    const headers = Array.from(
      { length: 64 },
      (_, index) => `X-${index}: ${'a'.repeat(1000)}\r\n`,
    ).join('')
    const reply = await raw(port, `GET /livez HTTP/1.1\r\nHost: x\r\n${headers}\r\n`)
    expect(reply.split('\r\n', 1)).toEqual(['HTTP/1.1 431 Request Header Fields Too Large'])
    expect(rejected).toContain('http headers')
    expect((await ask(port, { path: '/livez' })).status).toBe(200)
  })

  test('headers that come one byte at a time are cut off', async () => {
    const { port, rejected } = await serve({}, { headersMs: 300 })
    const socket = dial(port)
    const drip = setInterval(() => socket.write('G'), 20)
    const text = 'GET /livez HTTP/1.1\r\nX: '
    socket.write(text)
    const reply = await readAll(socket)
    clearInterval(drip)
    expect(reply).toMatch(/^HTTP\/1.1 408 /)
    expect(rejected).toEqual(['http timeout'])
  })

  test('a connection that says nothing is closed', async () => {
    const { port } = await serve({}, { headersMs: 200, idleMs: 300 })
    expect(await readAll(dial(port))).toMatch(/^(?:HTTP\/1.1 408 .*)?/)
  })

  test('a body without end is not waited for', async () => {
    const { port } = await serve()
    const socket = dial(port)
    const drip = setInterval(() => socket.write('5\r\naaaaa\r\n'), 20)
    socket.write('POST /approve HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n')
    const reply = await readAll(socket)
    clearInterval(drip)
    expect(reply).toMatch(/^HTTP\/1.1 200 /)
    expect(reply).toMatch(/\r\nConnection: close\r\n/i)
  })

  test('an answer that is not read is given up', async () => {
    const { port } = await serve({ metrics: async () => 'x'.repeat(50_000_000) }, { idleMs: 300 })
    const socket = dial(port)
    await once(socket, 'connect')
    socket.pause()
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(() => establishedAt(port), { timeout: 30_000 }).toBe(0)
    const reply = await readAll(socket.resume())
    expect(reply.length).toBeLessThan(50_000_000)
  })

  test('idle connections beyond the limit make room for new ones, oldest first', async () => {
    const { port, rejected } = await serve({}, { connections: 8 })
    const idle = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = dial(port)
        await once(socket, 'connect')
        return socket
      }),
    )
    expect((await ask(port, { path: '/livez' })).status).toBe(200)
    await expect.poll(() => idle.filter((socket) => socket.closed).length).toBe(13)
    expect(rejected.filter((reason) => reason === 'http connections')).toHaveLength(13)
  })

  test('a thousand scrapes are answered, and a probe among them', async () => {
    // Gauges ask the disk and the kernel, which takes a moment: so many are under way at a time.
    const metrics = async (): Promise<string> => {
      await delay(10)
      return '# text\n'
    }
    const { port, rejected } = await serve({ metrics })
    const statuses: number[] = []
    const scrapeOn = async (): Promise<void> => {
      while (statuses.length < 1000) {
        const { status } = await ask(port, { path: '/metrics' })
        statuses.push(status)
      }
    }
    const scrapes = Promise.all(Array.from({ length: 100 }, scrapeOn))
    const probe = await ask(port, { path: '/livez' })
    expect(probe.status).toBe(200)
    await scrapes
    expect(statuses.length).toBeGreaterThanOrEqual(1000)
    expect(statuses.every((status) => status === 200)).toBe(true)
    expect(rejected).toEqual([])
  })
})

describe('listening', () => {
  const failure = async (listen: { host: string; port: number }): Promise<unknown> => {
    const source = {
      status: () => sampleStatus(),
      readiness: () => ({ ready: true, reason: null }),
      approve: () => 0,
      reject: () => 0,
      metrics: async () => '',
    }
    const server = new HttpServer({ listen, source, log: () => {}, rejected: () => {} })
    return server.start().then(
      () => null,
      (error: unknown) => error,
    )
  }

  test('a port that is taken is one line that names the setting', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    closing.push(() => void other.close())
    const address = other.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const error = await failure({ host: '127.0.0.1', port })
    expect(error).toBeInstanceOf(SyndError)
    expect(error).toMatchObject({
      code: 'address-in-use',
      message: `SYND_HTTP_LISTEN: 127.0.0.1:${port} is in use by another program: stop it or choose another port`,
    })
  })

  test('an address of another host is a wrong setting', async () => {
    expect(await failure({ host: '192.0.2.1', port: 0 })).toMatchObject({
      code: 'bad-settings',
      message:
        'SYND_HTTP_LISTEN: 192.0.2.1:0 is no address of this host: use 0.0.0.0, [::] or one that it has',
    })
    expect(await failure({ host: '2001:db8::1', port: 0 })).toMatchObject({ code: 'bad-settings' })
  })

  test('stopping closes what is open, and stopping twice is no harm', async () => {
    const server = new HttpServer({
      listen: { host: '127.0.0.1', port: 0 },
      source: {
        status: () => sampleStatus(),
        readiness: () => ({ ready: true, reason: null }),
        approve: () => 0,
        reject: () => 0,
        metrics: async () => '',
      },
      log: () => {},
      rejected: () => {},
    })
    const { port } = await server.start()
    const socket = dial(port)
    await once(socket, 'connect')
    await server.stop()
    await readAll(socket)
    await server.stop()
    await expect(ask(port, { path: '/livez' })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
