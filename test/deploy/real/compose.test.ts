import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ComposeHost, untilInSync } from '../support/compose-host.ts'
import { describeWithDocker } from '../support/containers.ts'
import { authorize } from '../support/keys.ts'
import { until } from '../support/wait.ts'
import { at } from '../support/yaml-files.ts'

describeWithDocker('two hosts with the shipped compose file', (docker) => {
  const parent = mkdtempSync(join(tmpdir(), 'synd-hosts-'))
  const network = `synd-hosts-${process.pid}`
  const a = new ComposeHost(docker, parent, { name: 'host-a', peers: 'host-b', network })
  // Another user owns the files here: ids need not be the same on all hosts.
  const b = new ComposeHost(docker, parent, {
    name: 'host-b',
    peers: 'host-a',
    network,
    uid: 4711,
    gid: 4712,
  })
  const both = [a, b]

  beforeAll(async () => {
    await docker('network', 'create', network)
    for (const host of both) await host.setUp()
    authorize(a.keyDirectory, [b.publicLine])
    authorize(b.keyDirectory, [a.publicLine])
    for (const host of both) await host.up()
  })

  afterAll(async () => {
    for (const host of both) await host.down()
    await docker.try('network', 'rm', network)
    rmSync(parent, { recursive: true, force: true })
  })

  test('start, find each other and are in sync', async () => {
    await untilInSync(both)
  })

  test('say that the crypto is native', async () => {
    for (const host of both) expect(await host.logs()).toMatch(/"crypto":"native"/)
  })

  test('sync both ways on bind mounts, each with the owner of its own host', async () => {
    write(a, 'from-a.txt', 'a\n', { uid: 1000, gid: 1000 })
    write(b, 'from-b/b.txt', 'b\n', { uid: 4711, gid: 4712 })
    await untilFile(b, 'from-a.txt', 'a\n')
    await untilFile(a, 'from-b/b.txt', 'b\n')
    expect(owner(a, 'from-b/b.txt')).toEqual([1000, 1000])
    expect(owner(a, 'from-b')).toEqual([1000, 1000])
    expect(owner(b, 'from-a.txt')).toEqual([4711, 4712])
    expect(statSync(join(a.dataDirectory, '.synd')).mode & 0o777).toBe(0o700)
    await untilInSync(both)
  })

  test('run without root, without capabilities, on a root that cannot be written', async () => {
    for (const [host, ids] of [
      [a, '1000:1000'],
      [b, '4711:4712'],
    ] as const) {
      const inspected = await host.inspect()
      expect(at(inspected, 'HostConfig', 'ReadonlyRootfs')).toBe(true)
      const id = await host.container()
      expect(await docker('exec', id, 'sh', '-c', 'echo $(id -u):$(id -g)')).toBe(ids)
      expect((await docker.try('exec', id, 'touch', '/app/x')).output).toContain(
        'Read-only file system',
      )
      const status = await docker('exec', id, 'sh', '-c', 'cat "/proc/$(pidof node)/status"')
      expect(status).toMatch(/^CapEff:\s*0000000000000000$/m)
    }
  })

  test('become healthy', async () => {
    for (const host of both) await untilHealth(host, 'healthy')
  })

  test('docker stop drains and exits 0 within the grace, and what changed meanwhile arrives after the start', async () => {
    const id = await a.container()
    const startedMs = performance.now()
    await docker('stop', id)
    expect(performance.now() - startedMs).toBeLessThan(15_000)
    expect(at(await a.inspect(), 'State', 'ExitCode')).toBe(0)
    write(b, 'while-a-was-stopped.txt', 'x', { uid: 4711, gid: 4712 })
    write(a, 'behind-the-back-of-a.txt', 'y', { uid: 1000, gid: 1000 })
    await docker('start', id)
    await untilFile(a, 'while-a-was-stopped.txt', 'x')
    await untilFile(b, 'behind-the-back-of-a.txt', 'y')
    await untilInSync(both)
  })

  test('docker kill in the middle of work loses nothing', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `many/${index}.txt`)
    for (const name of names) write(a, name, name.repeat(50), { uid: 1000, gid: 1000 })
    await until(
      'some have arrived',
      () => existsSync(join(b.dataDirectory, 'many', '0.txt')) || countFiles(b, 'many') > 0,
    )
    const id = await b.container()
    await docker('kill', id)
    expect(at(await b.inspect(), 'State', 'ExitCode')).toBe(137)
    await docker('start', id)
    await untilInSync(both)
    for (const name of names)
      expect(readFileSync(join(b.dataDirectory, name), 'utf8')).toBe(name.repeat(50))
  })

  test('thirty seconds without a network: both go on, and meet again', async () => {
    const id = await a.container()
    await docker('network', 'disconnect', network, id)
    write(a, 'apart/from-a.txt', 'a', { uid: 1000, gid: 1000 })
    write(b, 'apart/from-b.txt', 'b', { uid: 4711, gid: 4712 })
    // The thirty seconds are what is tested: longer than any keepalive.
    await sleep(30_000)
    await until(
      'b notices',
      async () => (await b.metric('synd_peer_up', 'peer="host-a:50051"')) === 0,
    )
    expect((await b.fetch('/readyz')).status).toBe(200)
    expect(existsSync(join(b.dataDirectory, 'apart', 'from-a.txt'))).toBe(false)
    await docker('network', 'connect', '--alias', a.name, network, id)
    await untilFile(b, 'apart/from-a.txt', 'a')
    await untilFile(a, 'apart/from-b.txt', 'b')
    await untilInSync(both)
    expect(await b.metric('synd_peer_up', 'peer="host-a:50051"')).toBe(1)
  })

  test('a container that is made anew with an empty volume deletes nothing elsewhere and gets everything back', async () => {
    const before = listing(b)
    expect(before.length).toBeGreaterThan(300)
    await a.compose('rm', '--stop', '--force', 'synd')
    rmSync(a.dataDirectory, { recursive: true })
    mkdirSync(a.dataDirectory)
    chownSync(a.dataDirectory, 1000, 1000)
    await a.up()
    await untilInSync(both)
    expect(listing(b)).toEqual(before)
    expect(listing(a)).toEqual(before)
  })

  test('health turns unhealthy when the event loop stands still, and healthy again', async () => {
    const id = await a.container()
    await docker('exec', id, 'sh', '-c', 'kill -STOP "$(pidof node)"')
    await untilHealth(a, 'unhealthy')
    await docker('exec', id, 'sh', '-c', 'kill -CONT "$(pidof node)"')
    await untilHealth(a, 'healthy')
    await untilInSync(both)
  })

  test('status inside the container tells people what is going on', async () => {
    const text = await docker('exec', await a.container(), 'synd', 'status')
    expect(text).toContain('host-b')
  })

  async function untilHealth(host: ComposeHost, wanted: string): Promise<void> {
    await until(
      `${host.name} is ${wanted}`,
      async () => at(await host.inspect(), 'State', 'Health', 'Status') === wanted,
      { everyMs: 1000, timeoutMs: 240_000 },
    )
  }
})

function write(
  host: ComposeHost,
  name: string,
  content: string,
  ids: { uid: number; gid: number },
): void {
  const path = join(host.dataDirectory, name)
  const directory = join(path, '..')
  if (!existsSync(directory)) {
    mkdirSync(directory, { recursive: true })
    chownSync(directory, ids.uid, ids.gid)
  }
  writeFileSync(path, content)
  chownSync(path, ids.uid, ids.gid)
}

async function untilFile(host: ComposeHost, name: string, content: string): Promise<void> {
  const path = join(host.dataDirectory, name)
  await until(
    `${name} is on ${host.name}`,
    () => existsSync(path) && readFileSync(path, 'utf8') === content,
    { describe: () => host.logs() },
  )
}

function owner(host: ComposeHost, name: string): number[] {
  const { uid, gid } = statSync(join(host.dataDirectory, name))
  return [uid, gid]
}

function countFiles(host: ComposeHost, directory: string): number {
  const path = join(host.dataDirectory, directory)
  return existsSync(path) ? readdirSync(path).length : 0
}

/** Every path of the volume but Synd's own, with its content. */
function listing(host: ComposeHost): readonly string[] {
  return readdirSync(host.dataDirectory, { recursive: true, withFileTypes: true })
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
    .filter(({ path }) => !path.includes('/.synd'))
    .map(({ entry, path }) => {
      const name = path.slice(host.dataDirectory.length)
      return entry.isFile() ? `${name}: ${readFileSync(path, 'utf8')}` : name
    })
    .toSorted()
}
