import { once } from 'node:events'
import { mkdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { parseKnownHosts } from '../../src/identity/known-hosts.ts'
import { nastyNames } from '../support/nasty-names.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { collect, until } from './collect.ts'
import { makeKey, type TestKey } from './keys.ts'
import { startTransfer } from './peers.ts'
import { startSshd } from './sshd.ts'
import { describeWith, run } from './tools.ts'
import { volumeSource } from './volume-source.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop()
})

async function stock(
  settings: readonly string[] = [],
  options: { readonly hostKeys?: readonly TestKey[]; readonly key?: TestKey } = {},
) {
  const member = options.key ?? makeKey()
  const directory = temporaryDirectory()
  cleanups.push(directory.remove)
  // A name that a shell would take apart.
  const root = join(directory.path, "the volume's")
  mkdirSync(root)
  const sshd = await startSshd({ member, root, settings, ...options })
  cleanups.push(sshd.stop)
  const sink = (knownHosts: string, key = member) => {
    const made = startTransfer({ key, knownHosts: parseKnownHosts(knownHosts) })
    cleanups.push(() => made.transfer.stop())
    return made
  }
  const { transfer, record } = sink(sshd.knownHosts)
  return { ...sshd, transfer, record, sink, volume: volumeSource(root), root }
}

/** Connections that sshd has seen, besides the one that saw it come up. */
function connectionsIn(log: string): number {
  return (log.match(/^Connection from /gm)?.length ?? 0) - 1
}

describeWith(['sshd', 'scp'], 'a stock OpenSSH server as source', () => {
  test('serves every name there is, several an exec', async () => {
    const peer = await stock()
    const requests = nastyNames.map((name, index) => peer.volume.put(`dir/${name}`, `n${index}`))
    const result = await collect(peer.transfer, peer.target, requests)
    expect([result.error, ...result.kinds]).toEqual([null, ...nastyNames.map(() => 'pulled')])
    expect(result.contents.map(String)).toEqual(nastyNames.map((_, index) => `n${index}`))
    expect(peer.record.rejections).toEqual([])
  })

  test('serves 500 files and a large one', async () => {
    const peer = await stock()
    const large = Buffer.alloc(8_000_000, 'large ')
    const requests = Array.from({ length: 500 }, (_, index) =>
      peer.volume.put(`d/f${index}`, index === 250 ? large : `${index}`),
    )
    const result = await collect(peer.transfer, peer.target, requests)
    expect(result.error).toBe(null)
    expect(result.messages.filter((text) => text !== '')).toEqual([])
    expect(new Set(result.kinds)).toEqual(new Set(['pulled']))
    expect(result.contents[250]?.equals(large)).toBe(true)
  })

  test('says what is not there; what is something else by now is not taken', async () => {
    const peer = await stock()
    const put = (path: string) => peer.volume.put(path, 'content')
    const requests = ['a', 'gone', 'directory', 'longer', 'other', 'z'].map(put)
    unlinkSync(join(peer.root, 'gone'))
    unlinkSync(join(peer.root, 'directory'))
    mkdirSync(join(peer.root, 'directory'))
    peer.volume.write('longer', 'more content')
    peer.volume.write('other', 'CONTENT')
    const result = await collect(peer.transfer, peer.target, requests)
    expect(result.kinds).toEqual([
      'pulled',
      'superseded',
      'superseded',
      'source-mismatch',
      'source-mismatch',
      'pulled',
    ])
    expect(result.left).toBe(0)
    expect(peer.record.rejections).toEqual(['scp:record', 'scp:content'])
  })

  test.each([1, 2])('with MaxSessions %i serves many pulls at once', async (sessions) => {
    const peer = await stock([`MaxSessions ${sessions}`])
    const pulls = Array.from({ length: 6 }, (_, pull) =>
      Array.from({ length: 3 }, (_, index) => peer.volume.put(`p${pull}f${index}`, `${pull}`)),
    )
    const results = await Promise.all(
      pulls.map((requests) => collect(peer.transfer, peer.target, requests)),
    )
    expect(results.map((result) => result.error)).toEqual(pulls.map(() => null))
    expect(results.flatMap((result) => result.kinds)).toEqual(pulls.flat().map(() => 'pulled'))
  })

  test('with MaxStartups 1, taken by somebody who does not log in, is not stormed, and serves once it has room', async () => {
    const peer = await stock(['MaxStartups 1', 'LogLevel VERBOSE'])
    const requests = [peer.volume.put('a', 'content')]
    const { idle, refused } = await takeStartup(peer.port)
    cleanups.push(() => void idle.destroy())
    const dropped = (): number => (peer.log().match(/past MaxStartups/g)?.length ?? 0) - refused
    for (let attempt = 0; attempt < 50; attempt++)
      expect((await collect(peer.transfer, peer.target, requests)).error).toBe('unreachable')
    await until(() => dropped() > 0)
    // As below: the second after a second, the third after two more.
    expect(dropped()).toBeLessThanOrEqual(3)
    idle.destroy()
    const ask = () => collect(peer.transfer, peer.target, requests)
    expect(await untilServed(ask)).toEqual(['pulled'])
    expect(peer.log().match(/Accepted publickey/g)).toHaveLength(1)
  })

  test('with MaxStartups 1 lets four peers in that come at once, one after the other', async () => {
    const peer = await stock(['MaxStartups 1', 'LogLevel VERBOSE'])
    const requests = [peer.volume.put('a', 'content')]
    const arrivals = [110, 230, 350, 470].map((everyMs) => {
      const { transfer } = peer.sink(peer.knownHosts)
      // Whoever pulls asks again by a clock of its own.
      return untilServed(() => collect(transfer, peer.target, requests), everyMs)
    })
    expect((await Promise.all(arrivals)).flat()).toEqual(arrivals.map(() => 'pulled'))
    expect(peer.log().match(/Accepted publickey/g)).toHaveLength(4)
  })

  test('may exchange keys often', async () => {
    const peer = await stock(['RekeyLimit 64K'])
    const content = Buffer.alloc(6_000_000, 'rekey ')
    const result = await collect(peer.transfer, peer.target, [peer.volume.put('a', content)])
    expect(result.contents[0]?.equals(content)).toBe(true)
  })

  test.each([
    [
      'internal-sftp alone',
      ['ForceCommand internal-sftp'],
      /it lets this user do sftp only: .* \("This service allows sftp connections only\." instead/,
    ],
    ['no scp', ['SetEnv PATH=/nonexistent'], /it has no scp: install .*exit status 127\)/],
    ['no commands at all', ['ForceCommand /bin/false'], /ForceCommand .* \(exit status 1\)/],
    [
      'an account without a shell',
      ['ForceCommand /usr/sbin/nologin'],
      /no shell there.*"This account is currently not available\."/,
    ],
    ['no sessions', ['MaxSessions 0'], /it runs no command for us .*MaxSessions/],
    ['a ChrootDirectory that is gone', ['ChrootDirectory /nonexistent'], /no files .*chroot/],
  ])('with %s says why', async (_, settings, words) => {
    const peer = await stock(settings)
    const requests = [peer.volume.put('a', 'content'), peer.volume.put('b', 'content')]
    const result = await collect(peer.transfer, peer.target, requests)
    expect(result).toMatchObject({ error: 'protocol', kinds: [], left: 0 })
    expect(result.errorText).toMatch(words)
    expect(result.errorText).toContain(`127.0.0.1:${peer.port}: `)
  })

  test.each([
    ['Welcome back'],
    ['Connecting you to the shell'],
    ['Dear user'],
    ['Today is a good day'],
  ])('whose .bashrc says "%s" says why', async (greeting) => {
    const home = temporaryDirectory()
    cleanups.push(home.remove)
    writeFileSync(join(home.path, '.bashrc'), `echo '${greeting}'\n`)
    const peer = await stock([`SetEnv HOME=${home.path}`])
    const requests = [peer.volume.put('a', 'content'), peer.volume.put('b', 'content')]
    const result = await collect(peer.transfer, peer.target, requests)
    expect(result).toMatchObject({ error: 'protocol', kinds: [], left: 0 })
    expect(result.errorText).toContain('.bashrc')
    expect(result.errorText).toContain(`"${greeting}`)
    expect(peer.record.rejections).toContain('scp:record')
  })

  test('that no line of known_hosts names is not even connected to', async () => {
    const peer = await stock(['LogLevel VERBOSE'])
    const other = peer.sink(peer.knownHosts.replaceAll(`${peer.port}`, '22'))
    const result = await collect(other.transfer, peer.target, [peer.volume.put('a', 'content')])
    expect(result.error).toBe('untrusted')
    expect(result.errorText).toContain(`ssh-keyscan -p ${peer.port} 127.0.0.1`)
    expect(other.record.rejections).toEqual(['scp:host-key'])
    expect(connectionsIn(peer.log())).toBe(0)
  })

  test('with a wrong, changed or revoked host key is not logged in to, and tried only once in a while', async () => {
    const peer = await stock(['LogLevel VERBOSE'])
    const wrong = `[127.0.0.1]:${peer.port} ${makeKey().publicLine}\n`
    const cases: [string, RegExp][] = [
      [wrong, /its host key SHA256:\S{43} is not the one in SYND_SSH_KNOWN_HOSTS/],
      [`${peer.knownHosts}@revoked * ${peer.knownHosts.split(' ').slice(1).join(' ')}`, /@revoked/],
    ]
    for (const [index, [knownHosts, words]] of cases.entries()) {
      const other = peer.sink(knownHosts)
      for (let attempt = 0; attempt < 20; attempt++) {
        const requests = [peer.volume.put('a', 'content')]
        const result = await collect(other.transfer, peer.target, requests)
        expect(result.error).toBe('untrusted')
        expect(result.errorText).toMatch(words)
      }
      expect(other.record.rejections).toEqual(['scp:host-key'])
      expect(connectionsIn(peer.log())).toBe(index + 1)
    }
    expect(peer.log()).not.toContain('Accepted publickey')
  })

  test('with many host keys is asked for one of the kind that is known', async () => {
    const hostKeys = [makeKey('rsa'), makeKey('ecdsa'), makeKey('ed25519')]
    const peer = await stock([], { hostKeys })
    for (const line of peer.knownHosts.trim().split('\n')) {
      const { transfer } = peer.sink(line)
      const result = await collect(transfer, peer.target, [peer.volume.put('a', 'content')])
      expect([line.split(' ')[1], ...result.kinds]).toEqual([line.split(' ')[1], 'pulled'])
    }
  })

  test.each(['ed25519', 'ecdsa', 'rsa'] as const)('lets %s keys in', async (kind) => {
    const peer = await stock([], { key: makeKey(kind) })
    const result = await collect(peer.transfer, peer.target, [peer.volume.put('a', 'content')])
    expect(result.kinds).toEqual(['pulled'])
  })

  test.each([
    ['proves itself', 'HostKeyAlgorithms ssh-rsa', 'protocol', /host key/],
    ['wants us to prove ourselves', 'PubkeyAcceptedAlgorithms ssh-rsa', 'untrusted', /our key/],
  ])('that %s by RSA with SHA-1 only is refused', async (_, setting, code, words) => {
    const key = makeKey('rsa')
    const peer = await stock([setting, 'LogLevel VERBOSE'], { key, hostKeys: [makeKey('rsa')] })
    const result = await collect(peer.transfer, peer.target, [peer.volume.put('a', 'content')])
    expect(result.error).toBe(code)
    expect(result.errorText).toMatch(words)
    expect(peer.log()).not.toContain('Accepted publickey')
  })

  test('that refuses our key is not asked again before a while', async () => {
    const peer = await stock(['LogLevel VERBOSE'])
    const stranger = peer.sink(peer.knownHosts, makeKey())
    const requests = [peer.volume.put('a', 'content')]
    for (let attempt = 0; attempt < 20; attempt++) {
      const result = await collect(stranger.transfer, peer.target, requests)
      expect(result.error).toBe('untrusted')
      expect(result.errorText).toContain('authorized_keys')
    }
    expect(connectionsIn(peer.log())).toBe(1)
    // The operator mends something: at once once more, and then not for longer than before.
    stranger.transfer.trustChanged()
    for (let attempt = 0; attempt < 20; attempt++)
      await collect(stranger.transfer, peer.target, requests)
    expect(connectionsIn(peer.log())).toBe(2)
  })

  test('that hangs up before it says who it is, as one does that has had enough of us, is left alone', async () => {
    const peer = await stock()
    const penalties = await hangUps()
    cleanups.push(penalties.stop)
    const { transfer } = peer.sink(peer.knownHosts.replaceAll(`${peer.port}`, `${penalties.port}`))
    const { source } = peer.target
    if (source.kind !== 'openssh') throw new Error('no stock sshd')
    const target = { ...peer.target, source: { ...source, port: penalties.port } }
    const requests = [peer.volume.put('a', 'content')]
    for (let attempt = 0; attempt < 50; attempt++)
      expect((await collect(transfer, target, requests)).error).toBe('unreachable')
    // The second after a second, the third after two more: only a machine that stands still gets that far.
    expect(penalties.connections()).toBeLessThanOrEqual(3)
  })

  test('whose volume is gone is no reason to hang', async () => {
    const peer = await stock()
    const requests = [peer.volume.put('a', 'content')]
    rmSync(peer.root, { recursive: true })
    expect((await collect(peer.transfer, peer.target, requests)).kinds).toEqual(['superseded'])
  })

  test.runIf(process.getuid?.() === 0)('serves from a file system that is read-only', async () => {
    const peer = await stock()
    const requests = [peer.volume.put('a', 'content'), peer.volume.put('b/c', 'more')]
    const mount = (...args: string[]) => run('mount', args)
    expect((await mount('--bind', peer.root, peer.root)).stderr).toBe('')
    try {
      expect((await mount('-o', 'remount,bind,ro', peer.root)).stderr).toBe('')
      const result = await collect(peer.transfer, peer.target, requests)
      expect(result.contents.map(String)).toEqual(['content', 'more'])
    } finally {
      await run('umount', [peer.root])
    }
  })
})

/** Asks again and again until there is an answer to what was asked for. */
async function untilServed(
  ask: () => ReturnType<typeof collect>,
  everyMs = 20,
): Promise<readonly string[]> {
  for (;;) {
    const { kinds } = await ask()
    if (kinds.length > 0) return kinds
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

/** A connection that sshd lets log in, and how many it refused before: it says "Exceeded MaxStartups" while it counts one that has left. */
async function takeStartup(port: number): Promise<{ idle: Socket; refused: number }> {
  for (let refused = 0; ; refused++) {
    const idle = connect({ host: '127.0.0.1', port })
    const [data] = await once(idle, 'data')
    if (String(data).startsWith('SSH-')) return { idle, refused }
    idle.destroy()
  }
}

/** A port where every connection is closed at once. */
async function hangUps() {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: () => connections,
    stop: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  }
}
