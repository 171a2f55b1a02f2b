import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { SyndError } from '../../src/core/errors.ts'
import type { PullTarget } from '../../src/engine/ports.ts'
import { startSwapper } from '../support/swapper.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { collect, until } from './collect.ts'
import { makeKey } from './keys.ts'
import { memoryStages } from './memory-stage.ts'
import { startPair, startTransfer } from './peers.ts'
import { tcpProxy } from './tcp-proxy.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop()
})

async function pair(options: Parameters<typeof startPair>[0] = {}) {
  const started = await startPair(options)
  cleanups.push(started.stop)
  return started
}

async function proxyTo(port: number, options: { readonly delayMs?: number } = {}) {
  const proxy = await tcpProxy(port, options)
  cleanups.push(proxy.stop)
  return proxy
}

function through(target: PullTarget, port: number): PullTarget {
  return { ...target, source: { kind: 'embedded', port } }
}

test('carries 32 MiB byte for byte', async () => {
  const peer = await pair()
  const content = randomBytes(32 * 1024 * 1024)
  const result = await collect(peer.transfer, peer.target, [peer.volume.put('large', content)])
  expect(result.kinds).toEqual(['pulled'])
  expect(result.contents[0]?.equals(content)).toBe(true)
  await until(() => peer.served.length === 1)
  expect(peer.served).toEqual([{ key: peer.sink.key.fingerprint, sizeBytes: content.length }])
})

test('carries 500 files of all sizes in one pull, in order', async () => {
  const peer = await pair()
  const contents = Array.from({ length: 500 }, (_, index) =>
    randomBytes(index % 50 === 0 ? 300_000 : index % 7 === 0 ? 0 : index * 11),
  )
  const requests = contents.map((content, index) =>
    peer.volume.put(`d${index % 9}/f${index}`, content),
  )
  const result = await collect(peer.transfer, peer.target, requests)
  expect(result.kinds.every((kind) => kind === 'pulled')).toBe(true)
  expect(result.contents.every((content, index) => contents[index]?.equals(content))).toBe(true)
  expect(peer.record.rejections).toEqual([])
  await until(() => peer.opened.now === 0)
})

test('works with every kind of key on both sides', async () => {
  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    const peer = await pair({ key: makeKey(type), sink: { key: makeKey(type) } })
    const result = await collect(peer.transfer, peer.target, [peer.volume.put('a', type)])
    expect(result.contents.map(String)).toEqual([type])
  }
})

test('needs no round trip a file: answers go ahead of time', async () => {
  const peer = await pair()
  const proxy = await proxyTo(peer.port, { delayMs: 100 })
  const requests = Array.from({ length: 100 }, (_, index) =>
    peer.volume.put(`f${index}`, `${index}`),
  )
  const target = through(peer.target, proxy.port)
  await collect(peer.transfer, target, requests.slice(0, 1))
  const start = performance.now()
  const result = await collect(peer.transfer, target, requests)
  expect(result.kinds.every((kind) => kind === 'pulled')).toBe(true)
  // One round trip each for the channel, the command and its answer make 600 ms; one a file would make 20 s.
  expect(performance.now() - start).toBeLessThan(8000)
  expect(proxy.connections()).toBe(1)
})

describe('rule 16: a file that changes while it is sent', () => {
  const size = 6 * 1024 * 1024
  const cases: [string, (path: string) => void][] = [
    ['rewritten in place', (path) => writeFileSync(path, randomBytes(size))],
    ['shrunk', (path) => truncateSync(path, size / 2)],
    ['rewritten in place and grown', (path) => writeFileSync(path, randomBytes(size + 1))],
    ['touched', (path) => utimesSync(path, 1, 1)],
  ]
  test.each(cases)('%s is superseded, and the next one arrives', async (_, change) => {
    let path = ''
    const peer = await pair({
      onRead: (position) => {
        if (position < 1024 * 1024 || path === '') return
        change(path)
        path = ''
      },
    })
    const requests = [
      peer.volume.put('before', 'b'),
      peer.volume.put('changing', randomBytes(size)),
      peer.volume.put('after', 'a'),
    ]
    path = join(peer.volume.root, 'changing')
    const result = await collect(peer.transfer, peer.target, requests)
    expect(result.kinds).toEqual(['pulled', 'superseded', 'pulled'])
    expect(result.left).toBe(0)
    await until(() => peer.opened.now === 0)
  })

  test.each([
    ['small', 5_000],
    ['large', size],
    ['largest', 2 * size],
  ])('a %s one to which something is appended is had as it was announced', async (_, length) => {
    let path = ''
    const peer = await pair({
      onRead: (position) => {
        if (position >= length / 2 && path !== '') appendFileSync(path, 'more')
      },
    })
    const content = randomBytes(length)
    const request = peer.volume.put('log', content)
    path = join(peer.volume.root, 'log')
    for (let round = 0; round < 3; round++) {
      const result = await collect(peer.transfer, peer.target, [request])
      expect(result.kinds).toEqual(['pulled'])
      expect(result.contents.map((got) => got.equals(content))).toEqual([true])
      appendFileSync(path, 'and more')
    }
    writeFileSync(path, randomBytes(length + 100))
    const other = await collect(peer.transfer, peer.target, [request])
    expect(other.kinds).toEqual(['superseded'])
    expect(peer.record.rejections).toEqual([])
    await until(() => peer.opened.now === 0)
  })

  test('shrunk by more than is worth filling up breaks the exec off, and the rest is asked anew', async () => {
    let path = ''
    const peer = await pair({
      onRead: (position) => {
        if (position > 1024 * 1024 && path !== '') truncateSync(path, 1000)
      },
    })
    const requests = [
      peer.volume.put('changing', Buffer.alloc(24 * 1024 * 1024)),
      peer.volume.put('after', 'a'),
    ]
    path = join(peer.volume.root, 'changing')
    const result = await collect(peer.transfer, peer.target, requests)
    expect(result.kinds).toEqual(['pull-failed', 'pulled'])
    expect(result.left).toBe(0)
  })
})

describe('nothing but the listed file is served', () => {
  const outside = 'OUTSIDE!'
  const cases: [string, (root: string) => void][] = [
    [
      'a link in the place of a directory',
      (root) => {
        renameSync(join(root, 'dir'), join(root, 'moved'))
        mkdirSync(join(root, 'elsewhere'))
        writeFileSync(join(root, 'elsewhere/file'), outside)
        symlinkSync('elsewhere', join(root, 'dir'))
      },
    ],
    [
      'a link to the very directory',
      (root) => {
        renameSync(join(root, 'dir'), join(root, 'moved'))
        symlinkSync('moved', join(root, 'dir'))
      },
    ],
    [
      'a link in the place of the file',
      (root) => {
        renameSync(join(root, 'dir/file'), join(root, 'moved'))
        symlinkSync('../moved', join(root, 'dir/file'))
      },
    ],
    [
      'a FIFO',
      (root) => {
        unlinkSync(join(root, 'dir/file'))
        execFileSync('mkfifo', [join(root, 'dir/file')])
      },
    ],
    [
      'a directory',
      (root) => {
        unlinkSync(join(root, 'dir/file'))
        mkdirSync(join(root, 'dir/file'))
      },
    ],
    [
      'another file of the same size',
      (root) => {
        unlinkSync(join(root, 'dir/file'))
        writeFileSync(join(root, 'dir/file'), outside)
      },
    ],
    ['nothing', (root) => unlinkSync(join(root, 'dir/file'))],
  ]
  test.each(cases)('%s is superseded', async (_, change) => {
    const peer = await pair()
    const requests = [peer.volume.put('dir/file', 'listed 8'), peer.volume.put('next', 'n')]
    change(peer.volume.root)
    const result = await collect(peer.transfer, peer.target, requests)
    expect(result.kinds).toEqual(['superseded', 'pulled'])
    expect(peer.sink.record.rejections).toEqual([])
    expect(peer.opened.now).toBe(0)
  })

  test('a file that the index does not list, though it is there', async () => {
    const peer = await pair()
    const request = peer.volume.put('ignored', 'content')
    peer.volume.unlist('ignored')
    expect((await collect(peer.transfer, peer.target, [request])).kinds).toEqual(['superseded'])
    expect(peer.opened.ever).toBe(0)
  })

  test('also while a component is swapped for a link 10,000 times', async () => {
    const peer = await pair()
    const { root } = peer.volume
    const request = peer.volume.put('dir/file', 'x'.repeat(8))
    const elsewhere = temporaryDirectory()
    writeFileSync(join(elsewhere.path, 'file'), outside)
    const swapper = await startSwapper(join(root, 'dir'), elsewhere.path)
    const seen = new Set<string>()
    for (let round = 0; round < 20 || swapper.swaps() < 10_000; round++) {
      const requests = Array.from({ length: 20 }, () => request)
      for (const kind of (await collect(peer.transfer, peer.target, requests)).kinds) seen.add(kind)
    }
    await swapper[Symbol.asyncDispose]()
    elsewhere.remove()
    expect([...seen].every((kind) => kind === 'pulled' || kind === 'superseded')).toBe(true)
    expect(peer.sink.record.rejections).toEqual([])
  })
})

describe('memory stays bounded', () => {
  test('a stage that does not take more stops the source', async () => {
    let furthest = 0
    const blocked = Promise.withResolvers<void>()
    const peer = await pair({
      onRead: (position) => {
        furthest = Math.max(furthest, position)
      },
    })
    const request = peer.volume.put('large', Buffer.alloc(48 * 1024 * 1024))
    const stages = memoryStages((step) => (step === 'write' ? blocked.promise : undefined))
    const pulling = collect(peer.transfer, peer.target, [request], { stages })
    let before = -1
    // Still for ten looks in a row.
    for (let still = 0; still < 10; still = furthest === before && furthest > 0 ? still + 1 : 0) {
      before = furthest
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(furthest).toBeLessThan(16 * 1024 * 1024)
    blocked.resolve()
    expect((await pulling).kinds).toEqual(['pulled'])
  })

  test('at most 32 files are staged at once, however slowly, and come in order', async () => {
    const peer = await pair()
    const contents = Array.from({ length: 200 }, (_, index) => `${index} `.repeat(300))
    const requests = contents.map((content, index) => peer.volume.put(`f${index}`, content))
    const stages = memoryStages((step, path) =>
      step === 'finish' && path.endsWith('7')
        ? new Promise((resolve) => setTimeout(resolve, 20))
        : new Promise((resolve) => setTimeout(resolve, 1)),
    )
    const result = await collect(peer.transfer, peer.target, requests, { stages })
    expect(result.contents.map(String)).toEqual(contents)
    expect(stages.mostBusy()).toBeLessThanOrEqual(32)
    expect(stages.mostBusy()).toBeGreaterThan(8)
  })

  test('a large file that cannot be stored is not carried to its end', async () => {
    let furthest = 0
    const peer = await pair({
      onRead: (position) => {
        furthest = Math.max(furthest, position)
      },
    })
    const requests = [
      peer.volume.put('large', Buffer.alloc(64 * 1024 * 1024)),
      peer.volume.put('next', 'n'),
    ]
    const stages = memoryStages((step, path) => {
      if (step === 'write' && path === 'large') throw noSpace()
    })
    const result = await collect(peer.transfer, peer.target, requests, { stages })
    expect(result.kinds).toEqual(['disk-full', 'pulled'])
    expect(furthest).toBeLessThan(32 * 1024 * 1024)
    expect(peer.sink.record.rejections).toEqual([])
  })
})

describe('who', () => {
  test("a stranger's key is refused, counted, and not tried again at once", async () => {
    const peer = await pair()
    const stranger = startTransfer({ trusted: [peer.key] })
    cleanups.push(() => stranger.transfer.stop())
    const requests = [peer.volume.put('a', 'content')]
    const first = await collect(stranger.transfer, peer.target, requests)
    expect(first.error).toBe('untrusted')
    expect(first.errorText).toContain('authorized_keys')
    expect(peer.record.rejections).toContain('ssh:login')
    const count = peer.record.rejections.length
    expect((await collect(stranger.transfer, peer.target, requests)).error).toBe('untrusted')
    expect(peer.record.rejections.length).toBe(count)
  })

  test('a source with another key than the peer proved is refused', async () => {
    const peer = await pair()
    const impostor = await pair()
    peer.sink.trusted.push(impostor.key)
    const requests = [impostor.volume.put('a', 'content')]
    const target = { ...impostor.target, key: peer.key.fingerprint }
    const result = await collect(peer.transfer, target, requests)
    expect(result.error).toBe('untrusted')
    expect(peer.sink.record.rejections).toEqual(['scp:host-key'])
    expect(impostor.served).toEqual([])
  })

  test('a source whose key is not authorized here is refused, proved or not', async () => {
    for (const key of [undefined, '']) {
      const peer = await pair()
      peer.sink.trusted.length = 0
      const target = key === undefined ? peer.target : { ...peer.target, key }
      const requests = [peer.volume.put('a', 'content')]
      expect((await collect(peer.transfer, target, requests)).error).toBe('untrusted')
    }
  })

  test('without TLS the authorized key is enough', async () => {
    const peer = await pair()
    const requests = [peer.volume.put('a', 'content')]
    const result = await collect(peer.transfer, { ...peer.target, key: '' }, requests)
    expect(result.kinds).toEqual(['pulled'])
  })

  test('a key that leaves authorized_keys loses its connection, on either side', async () => {
    for (const side of ['source', 'sink'] as const) {
      const peer = await pair()
      const requests = [peer.volume.put('a', 'content')]
      expect((await collect(peer.transfer, peer.target, requests)).kinds).toEqual(['pulled'])
      if (side === 'source') {
        peer.authorized.length = 0
        peer.source.dropUnauthorized()
        expect(peer.record.rejections).toEqual(['ssh:no-longer-authorized'])
      } else {
        peer.sink.trusted.length = 0
        peer.transfer.trustChanged()
      }
      expect((await collect(peer.transfer, peer.target, requests)).error).toMatch(
        /untrusted|unreachable/,
      )
    }
  })

  test('a key that stays keeps its connection', async () => {
    const peer = await pair()
    const proxy = await proxyTo(peer.port)
    const requests = [peer.volume.put('a', 'content')]
    const target = through(peer.target, proxy.port)
    await collect(peer.transfer, target, requests)
    peer.authorized.push(makeKey())
    peer.source.dropUnauthorized()
    peer.transfer.trustChanged()
    expect((await collect(peer.transfer, target, requests)).kinds).toEqual(['pulled'])
    expect(proxy.connections()).toBe(1)
  })
})

describe('connections', () => {
  test('are kept warm, closed when idle and opened anew', async () => {
    const peer = await pair({ sink: { limits: { idleMs: 50 } } })
    const proxy = await proxyTo(peer.port)
    const target = through(peer.target, proxy.port)
    const requests = [peer.volume.put('a', 'content')]
    const isPulled = async (): Promise<void> =>
      expect((await collect(peer.transfer, target, requests)).kinds).toEqual(['pulled'])
    await Promise.all([isPulled(), isPulled(), isPulled()])
    expect(proxy.connections()).toBe(1)
    await until(() => proxy.open() === 0)
    await isPulled()
    expect(proxy.connections()).toBe(2)
  })

  test('that are cut in the middle throw unreachable and leave no stage', async () => {
    const peer = await pair()
    const proxy = await proxyTo(peer.port)
    const target = through(peer.target, proxy.port)
    const requests = [
      peer.volume.put('small', 's'),
      peer.volume.put('large', Buffer.alloc(16 * 1024 * 1024)),
      peer.volume.put('last', 'l'),
    ]
    const stages = memoryStages((step, path) => {
      if (step === 'write' && path === 'large') proxy.cut()
    })
    const result = await collect(peer.transfer, target, requests, { stages })
    expect(result).toMatchObject({ kinds: ['pulled'], error: 'unreachable', left: 0 })
    expect((await collect(peer.transfer, target, requests)).kinds.length).toBe(3)
  })

  test('to a peer that is frozen stall, and the next pull does not wait for them', async () => {
    const peer = await pair({ sink: { limits: { stallMs: 300 } } })
    const proxy = await proxyTo(peer.port)
    const target = through(peer.target, proxy.port)
    const requests = [
      peer.volume.put('small', 's'),
      peer.volume.put('large', Buffer.alloc(16 * 1024 * 1024)),
    ]
    const stages = memoryStages((step, path) => {
      if (step === 'write' && path === 'large') proxy.freeze()
    })
    const result = await collect(peer.transfer, target, requests, { stages })
    expect(result).toMatchObject({ kinds: ['pulled'], error: 'stalled', left: 0 })
    proxy.thaw()
    expect((await collect(peer.transfer, target, requests)).kinds).toEqual(['pulled', 'pulled'])
    expect(proxy.connections()).toBe(2)
  })

  test('that do not come about do not hold up an abort', async () => {
    const peer = await pair()
    const proxy = await proxyTo(peer.port)
    proxy.freeze()
    const controller = new AbortController()
    const requests = [peer.volume.put('a', 'content')]
    const target = through(peer.target, proxy.port)
    const pulling = collect(peer.transfer, target, requests, { signal: controller.signal })
    await until(() => proxy.connections() === 1)
    const start = performance.now()
    controller.abort()
    expect((await pulling).error).toBe('aborted')
    expect(performance.now() - start).toBeLessThan(5000)
  })

  test('to nowhere throw unreachable', async () => {
    const peer = await pair()
    const requests = [peer.volume.put('a', 'content')]
    const result = await collect(peer.transfer, through(peer.target, 1), requests)
    expect(result.error).toBe('unreachable')
    const none = { ...peer.target, source: { kind: 'none' } } as const
    expect((await collect(peer.transfer, none, requests)).error).toBe('refused')
  })

  test('are all gone after stop, and nothing is pulled any more', async () => {
    const peer = await pair()
    const proxy = await proxyTo(peer.port)
    const target = through(peer.target, proxy.port)
    const blocked = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const request = peer.volume.put('a', 'content')
    const stages = memoryStages(() => {
      begun.resolve()
      return blocked.promise
    })
    const pulling = collect(peer.transfer, target, [request, request], { stages })
    await begun.promise
    const stopping = peer.transfer.stop()
    blocked.resolve()
    await stopping
    const result = await pulling
    expect(result.left).toBe(0)
    await until(() => proxy.open() === 0)
    expect((await collect(peer.transfer, target, [request])).error).toBe('aborted')
  })
})

test('an abort ends a large pull at once and frees both ends', async () => {
  const peer = await pair()
  const controller = new AbortController()
  const request = peer.volume.put('large', Buffer.alloc(64 * 1024 * 1024))
  let written = 0
  const stages = memoryStages((step) => {
    if (step === 'write' && ++written === 20) controller.abort()
  })
  const result = await collect(peer.transfer, peer.target, [request], {
    stages,
    signal: controller.signal,
  })
  expect(result).toMatchObject({ kinds: [], error: 'aborted', left: 0 })
  await until(() => peer.opened.now === 0)
  const again = await collect(peer.transfer, peer.target, [peer.volume.put('a', 'content')])
  expect(again.kinds).toEqual(['pulled'])
})

function noSpace(): SyndError {
  return new SyndError('no-space', 'no space left on the device')
}
