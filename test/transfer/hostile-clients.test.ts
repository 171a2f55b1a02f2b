import { connect, type Socket } from 'node:net'
import ssh2 from 'ssh2'
import type {
  AuthHandlerMiddleware,
  Client,
  ConnectConfig,
  ParsedKey,
  PasswordAuthMethod,
  PublicKeyAuthMethod,
} from 'ssh2'
import { afterEach, describe, expect, test } from 'vitest'
import { collect, until } from './collect.ts'
import { makeKey, type TestKey } from './keys.ts'
import { startPair } from './peers.ts'
import {
  deafToExtensions,
  exec,
  openClient,
  outcomeOf,
  protocolOf,
  rawClient,
  remoteId,
} from './raw-client.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop()
})

/** A source with an honest peer, and a member that means harm. */
async function victim(options: Parameters<typeof startPair>[0] = {}) {
  const peer = await startPair(options)
  cleanups.push(peer.stop)
  const member = makeKey()
  peer.authorized.push(member)
  const honest = peer.volume.put('honest', 'content')
  return {
    ...peer,
    member,
    /** A member's connection. */
    attack: async () => {
      const attacker = await rawClient(peer.port, { key: member })
      cleanups.push(() => void attacker.socket.destroy())
      return attacker
    },
    /** The honest peer is served within two seconds. */
    expectServed: async (): Promise<void> => {
      const start = performance.now()
      const result = await collect(peer.transfer, peer.target, [honest])
      expect(result.kinds).toEqual(['pulled'])
      expect(performance.now() - start).toBeLessThan(2000)
    },
  }
}

function tcp(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => undefined)
  socket.resume()
  cleanups.push(() => void socket.destroy())
  return socket
}

function parsed(key: TestKey): ParsedKey {
  const result = ssh2.utils.parseKey(key.sshPem)
  if (result instanceof Error) throw result
  return result
}

describe('logins', () => {
  async function refused(
    peer: Awaited<ReturnType<typeof victim>>,
    config: Parameters<typeof openClient>[1],
  ): Promise<void> {
    const { isClosed, socket } = openClient(peer.port, config)
    cleanups.push(() => void socket.destroy())
    await until(isClosed)
    await peer.expectServed()
    expect(peer.served.every(({ key }) => key === peer.sink.key.fingerprint)).toBe(true)
  }

  test('with a password are refused', async () => {
    const peer = await victim()
    const login: PasswordAuthMethod = { type: 'password', username: 'x', password: 'secret' }
    await refused(peer, { config: { authHandler: [login] } })
    expect(peer.record.rejections).toContain('ssh:login')
  })

  test('with nothing are refused', async () => {
    const peer = await victim()
    await refused(peer, { config: { authHandler: [{ type: 'none', username: 'x' }] } })
  })

  test("with a member's key and another's signature are refused", async () => {
    const peer = await victim()
    const key = parsed(peer.member)
    const other = parsed(makeKey())
    key.sign = (bytes) => other.sign(bytes)
    const login: PublicKeyAuthMethod = { type: 'publickey', username: 'x', key }
    await refused(peer, { config: { authHandler: [login] } })
    expect(peer.record.rejections).toContain('ssh:login')
  })

  test('with a public key alone are refused, also when the client goes on as if it were in', async () => {
    const peer = await victim()
    const key = parsed(peer.member)
    const login: PublicKeyAuthMethod = { type: 'publickey', username: 'x', key }
    const attacker = openClient(peer.port, { config: { authHandler: [login] } })
    cleanups.push(() => void attacker.socket.destroy())
    let isIn = false
    attacker.client.on('ready', () => (isIn = true))
    key.sign = () => {
      protocolOf(attacker.client).session(0, 2 ** 20, 32_768)
      throw new Error('no private key here')
    }
    await until(attacker.isClosed)
    expect(isIn).toBe(false)
    expect(peer.opened.ever).toBe(0)
    await peer.expectServed()
  })

  test('with the signature of another session are refused', async () => {
    const peer = await victim()
    const key = parsed(peer.member)
    const signatures: Buffer[] = []
    const sign = key.sign.bind(key)
    key.sign = (bytes) => {
      signatures.push(sign(bytes))
      return signatures[0] ?? Buffer.alloc(0)
    }
    const login: PublicKeyAuthMethod = { type: 'publickey', username: 'x', key }
    const first = openClient(peer.port, { config: { authHandler: [login] } })
    await new Promise<void>((resolve) => {
      first.client.on('ready', resolve)
    })
    first.socket.destroy()
    await refused(peer, { config: { authHandler: [login] } })
    expect(signatures.length).toBe(2)
  })

  test('with garbage for a signature are refused', async () => {
    for (const type of ['ed25519', 'rsa', 'ecdsa'] as const) {
      const peer = await victim()
      const bad = makeKey(type)
      peer.authorized.push(bad)
      const key = parsed(bad)
      key.sign = () => Buffer.alloc(70, 1)
      const login: PublicKeyAuthMethod = { type: 'publickey', username: 'x', key }
      await refused(peer, { config: { authHandler: [login] } })
    }
  })

  test('with RSA and SHA-1 are refused, with SHA-2 let in', async () => {
    const peer = await victim()
    const rsa = makeKey('rsa')
    peer.authorized.push(rsa)
    const modern = await rawClient(peer.port, { key: rsa })
    modern.socket.destroy()
    const old = openClient(peer.port, { key: rsa })
    // It does not hear that there is SHA-2, and takes SHA-1.
    deafToExtensions(old.client)
    await until(old.isClosed)
    expect(peer.record.rejections).toContain('ssh:login')
  })

  test('are not tried more than six times on a connection', async () => {
    const peer = await victim()
    let tried = 0
    const tryKeys: AuthHandlerMiddleware = (_left, _partial, next) => {
      tried++
      next({ type: 'publickey', username: 'x', key: makeKey().sshPem })
    }
    const attacker = openClient(peer.port, { config: { authHandler: tryKeys } })
    await until(attacker.isClosed)
    expect(tried).toBeLessThanOrEqual(7)
    await peer.expectServed()
  })

  test('have ten seconds, or what the limits say', async () => {
    const peer = await victim({ limits: { loginMs: 200 } })
    const silent = tcp(peer.port)
    const talking = tcp(peer.port)
    talking.write('SSH-2.0-slow\r\n')
    await until(() => silent.closed && talking.closed)
    expect(peer.record.rejections).toEqual(['ssh:login-deadline', 'ssh:login-deadline'])
  })
})

describe('connections', () => {
  test('by the hundred that say nothing do not keep an honest peer out', async () => {
    const peer = await victim()
    const idle = Array.from({ length: 400 }, () => tcp(peer.port))
    await peer.expectServed()
    await until(() => idle.filter((socket) => socket.closed).length >= 270)
    expect(
      peer.record.rejections.filter((reason) => reason === 'ssh:connection-limit').length,
    ).toBeGreaterThan(200)
    await peer.expectServed()
  })

  test.each([
    ['garbage', '\x16\x03\x01\x02\x00garbage\n'],
    ['a greeting before the identification', 'hello\r\nSSH-2.0-x\r\n'],
    ['an identification of 9 KB', `SSH-2.0-${'x'.repeat(9000)}\r\n`],
    ['an identification without end', 'SSH-2.0-'.padEnd(100_000, 'x')],
    ['SSH 1', 'SSH-1.5-x\r\n'],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['garbage after the identification', `SSH-2.0-x\r\n${'\xff'.repeat(5000)}`],
    ['a packet of 2 GB', 'SSH-2.0-x\r\n\x7f\xff\xff\xff'],
  ])('with %s are closed', async (_, text) => {
    const peer = await victim()
    const socket = tcp(peer.port)
    socket.write(Buffer.from(text, 'latin1'))
    await until(() => socket.closed)
    await peer.expectServed()
  })

  test('that ask for compression, CBC or SHA-1 do not come about', async () => {
    const peer = await victim()
    const offers: NonNullable<ConnectConfig['algorithms']>[] = [
      { compress: ['zlib@openssh.com'] },
      { cipher: ['aes256-cbc'] },
      { cipher: ['aes128-ctr'] },
      { kex: ['diffie-hellman-group14-sha1'] },
    ]
    for (const algorithms of offers) {
      const attacker = openClient(peer.port, { key: peer.member, config: { algorithms } })
      await until(attacker.isClosed)
    }
    await peer.expectServed()
    expect(peer.record.rejections.filter((reason) => reason === 'ssh:protocol').length).toBe(4)
  })
})

describe('commands', () => {
  test('with bytes that are no text find nothing', async () => {
    const peer = await victim()
    const { client } = await peer.attack()
    const channel = await exec(client, Buffer.from("scp -f 'a\xff\xfe'", 'latin1'))
    if (typeof channel !== 'string') channel.write('\0\0')
    const outcome = await outcomeOf(channel)
    expect(outcome.code).toBe(1)
    expect(outcome.stdout).toContain('No such file or directory')
  })

  test.each([31_000, 36_000, 1_000_000])('of %i bytes are refused', async (bytes) => {
    const peer = await victim()
    const attacker = await peer.attack()
    const outcome = outcomeOf(await exec(attacker.client, `scp -f ${'x'.repeat(bytes)}`))
    const ended = Promise.withResolvers<'closed'>()
    attacker.client.on('close', () => ended.resolve('closed'))
    const result = await Promise.race([outcome, ended.promise])
    if (result !== 'closed' && typeof result.code === 'number') {
      expect(result.code).toBe(1)
      expect(result.stderr).toContain('over 30000 bytes')
    }
    await peer.expectServed()
  })

  test('of a second exec on the same channel are not run', async () => {
    const peer = await victim()
    const { client, protocol } = await peer.attack()
    const channel = await exec(client, 'scp -f honest')
    if (typeof channel === 'string') throw new Error(channel)
    protocol.exec(remoteId(channel), 'scp -f honest', true)
    protocol.exec(remoteId(channel), 'id', false)
    channel.write('\0'.repeat(10))
    expect((await outcomeOf(channel)).stdout).toBe('C0644 7 honest\ncontent\0')
    expect(peer.record.rejections).toContain('ssh:request')
    await peer.expectServed()
  })

  test('of which a thousand run at once have to wait their turn', async () => {
    const peer = await victim()
    const { client } = await peer.attack()
    const channels = await Promise.all(
      Array.from({ length: 1000 }, () => exec(client, 'scp -f honest')),
    )
    expect(channels.filter((channel) => typeof channel !== 'string').length).toBe(16)
    expect(peer.record.rejections.filter((reason) => reason === 'ssh:session-limit').length).toBe(
      984,
    )
    await peer.expectServed()
  })

  test('of which a member runs sixteen on each of twenty connections have to wait too', async () => {
    const peer = await victim()
    const attackers = await Promise.all(Array.from({ length: 20 }, peer.attack))
    const open = async (): Promise<number> => {
      const channels = await Promise.all(
        attackers.flatMap(({ client }) =>
          Array.from({ length: 16 }, () => exec(client, 'scp -f honest')),
        ),
      )
      return channels.filter((channel) => typeof channel !== 'string').length
    }
    expect(await open()).toBe(128)
    await peer.expectServed()
    // Who is gone has left its place.
    for (const { socket } of attackers.splice(0)) socket.destroy()
    attackers.push(...(await Promise.all(Array.from({ length: 20 }, peer.attack))))
    let opened = 0
    while (opened < 128) opened += await open()
    await peer.expectServed()
  })

  test('that never come, on sessions opened and closed for ever, cost the connection', async () => {
    const peer = await victim()
    const { client, protocol, isClosed } = await peer.attack()
    let next = 100
    const timer = setInterval(() => {
      for (let count = 0; count < 100 && !isClosed(); count++) {
        protocol.session(next, 1000, 32_768)
        closeRemote(client, next++ - 100)
      }
    }, 1)
    await until(isClosed)
    clearInterval(timer)
    expect(peer.record.rejections).toContain('ssh:protocol')
    await peer.expectServed()
  })
})

describe('requests other than exec', () => {
  test('are refused and counted', async () => {
    const peer = await victim()
    const { client } = await peer.attack()
    const failed = (ask: (callback: (error?: Error | null) => void) => void): Promise<boolean> =>
      new Promise((resolve) => {
        ask((error) => resolve(error !== undefined && error !== null))
      })
    expect(await failed((done) => client.forwardOut('a', 1, '127.0.0.1', 22, (e) => done(e)))).toBe(
      true,
    )
    expect(await failed((done) => client.forwardIn('127.0.0.1', 0, (e) => done(e)))).toBe(true)
    expect(
      await failed((done) => client.openssh_forwardOutStreamLocal('/run/x', (e) => done(e))),
    ).toBe(true)
    expect(
      await failed((done) => client.openssh_forwardInStreamLocal('/tmp/x', (e) => done(e))),
    ).toBe(true)
    expect(
      await failed((done) => client.exec('scp -f honest', { pty: true }, (e) => done(e))),
    ).toBe(true)
    expect(
      await failed((done) => client.exec('scp -f honest', { x11: true }, (e) => done(e))),
    ).toBe(true)
    expect(await failed((done) => client.sftp((e) => done(e)))).toBe(true)
    const counts = peer.record.rejections
    expect(counts.filter((reason) => reason === 'ssh:forwarding').length).toBe(4)
    expect(counts.filter((reason) => reason === 'ssh:request').length).toBe(2)
    await peer.expectServed()
  })
})

describe('a sink that takes nothing', () => {
  const size = 200 * 1024 * 1024
  const endless = 2 ** 32 - 1

  async function stuck(
    bend: (attacker: Awaited<ReturnType<typeof rawClient>>) => void,
    after: (attacker: Awaited<ReturnType<typeof rawClient>>) => void = () => undefined,
  ) {
    let furthest = 0
    const peer = await victim({
      limits: { stallMs: 400 },
      onRead: (position) => {
        furthest = Math.max(furthest, position)
      },
    })
    peer.volume.put('large', Buffer.alloc(size))
    const attacker = await peer.attack()
    bend(attacker)
    const channel = await exec(attacker.client, 'scp -f large')
    if (typeof channel === 'string') throw new Error(channel)
    channel.write('\0\0\0\0')
    after(attacker)
    await until(() => peer.record.rejections.length > 0)
    expect(peer.record.rejections).toEqual(['ssh:stalled'])
    expect(furthest).toBeLessThan(20 * 1024 * 1024)
    await until(() => peer.opened.now === 0)
    await peer.expectServed()
  }

  test('with an endless window and a socket that is not read holds little memory, and not for long', () =>
    stuck(
      ({ protocol }) => {
        const open = protocol.session.bind(protocol)
        protocol.session = (channel, _window, packetSize) => open(channel, endless, packetSize)
      },
      ({ socket }) => socket.pause(),
    ))

  test('with a window of 0 is given up', () =>
    stuck(({ protocol }) => {
      const open = protocol.session.bind(protocol)
      protocol.session = (channel, _window, packetSize) => open(channel, 0, packetSize)
    }))

  test('that begins to exchange keys and does not go on fills no queue', () =>
    stuck(
      ({ protocol }) => {
        const open = protocol.session.bind(protocol)
        protocol.session = (channel, _window, packetSize) => open(channel, endless, packetSize)
      },
      ({ protocol }) => {
        protocol.rekey()
        protocol.parse = () => undefined
      },
    ))

  test.each([0, 1, 100])('in packets of %i bytes is cut off', async (bytes) => {
    const peer = await victim()
    const { client, protocol, isClosed } = await peer.attack()
    const open = protocol.session.bind(protocol)
    protocol.session = (channel, window) => open(channel, window, bytes)
    await exec(client, 'scp -f honest')
    await until(isClosed)
    expect(peer.record.rejections).toEqual(['ssh:protocol'])
    await peer.expectServed()
  })

  test.each([
    ['a command', (client: Client) => void exec(client, 'id')],
    ['a shell', (client: Client) => void client.shell(false, () => undefined)],
    ['a subsystem', (client: Client) => void client.subsys('sftp', () => undefined)],
  ])('in packets of nothing is cut off before it is refused %s', async (_, ask) => {
    const peer = await victim()
    const { client, protocol, isClosed } = await peer.attack()
    const open = protocol.session.bind(protocol)
    protocol.session = (channel, window) => open(channel, window, 0)
    ask(client)
    await until(isClosed)
    await peer.expectServed()
  })

  test('but answers for ever is no trouble until it answers nonsense', async () => {
    const peer = await victim({ limits: { stallMs: 400 } })
    const { client, isClosed } = await peer.attack()
    const channel = await exec(client, 'scp -f honest')
    if (typeof channel === 'string') throw new Error(channel)
    channel.write(Buffer.alloc(1_000_000))
    expect((await outcomeOf(channel)).code).toBe(0)
    const other = await exec(client, 'scp -f honest')
    if (typeof other === 'string') throw new Error(other)
    other.write('nonsense')
    await until(isClosed)
    expect(peer.record.rejections).toEqual(['ssh:protocol'])
  })

  test('and says so gets the other files', async () => {
    const peer = await victim()
    peer.volume.put('second', 'second content')
    const { client } = await peer.attack()
    const channel = await exec(client, 'scp -f honest second')
    if (typeof channel === 'string') throw new Error(channel)
    channel.write('\0\x01scp: cannot store it\n\0\0\0\0')
    const outcome = await outcomeOf(channel)
    expect(outcome.stdout).toBe('C0644 7 honest\nC0644 14 second\nsecond content\0')
    expect(outcome.code).toBe(1)
  })
})

describe('storms', () => {
  test('of key exchanges cost the connection', async () => {
    const peer = await victim()
    const { client, protocol, isClosed } = await peer.attack()
    client.on('handshake', () =>
      setImmediate(() => {
        if (!isClosed()) protocol.rekey()
      }),
    )
    protocol.rekey()
    await until(isClosed)
    expect(peer.record.rejections).toEqual(['ssh:protocol'])
    await peer.expectServed()
  })

  test('of ends of a channel are no trouble', async () => {
    const peer = await victim()
    const { client, protocol } = await peer.attack()
    const channel = await exec(client, 'scp -f honest')
    if (typeof channel === 'string') throw new Error(channel)
    const id = remoteId(channel)
    for (let count = 0; count < 10_000; count++) protocol.channelEOF(id)
    await outcomeOf(channel)
    await peer.expectServed()
  })
})

/** Closes a channel at the other end by its number there. */
function closeRemote(client: Awaited<ReturnType<typeof rawClient>>['client'], id: number): void {
  const protocol: unknown = Reflect.get(client, '_protocol')
  if (typeof protocol !== 'object' || protocol === null) return
  const close: unknown = Reflect.get(protocol, 'channelClose')
  if (typeof close === 'function') Reflect.apply(close, protocol, [id])
}
