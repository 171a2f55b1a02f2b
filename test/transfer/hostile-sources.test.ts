import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import type { Connection, ServerChannel } from 'ssh2'
import { afterEach, describe, expect, test } from 'vitest'
import { parseDigest } from '../../src/core/digest.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import type { PullRequest, PullTarget } from '../../src/engine/ports.ts'
import { collect, until } from './collect.ts'
import { endExec, startFakeSource } from './fake-source.ts'
import { memoryStages } from './memory-stage.ts'
import { startTransfer } from './peers.ts'
import { first, scpLies, second } from './scp-lies.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop()
})

const request = (path: string, content: string): PullRequest => ({
  path: parseRelativePath(path),
  digest: parseDigest(createHash('sha256').update(content).digest('hex')),
  sizeBytes: content.length,
})
const wanted = [request('dir/first', 'one'), request('dir/second', 'two')]

/** A sink and a source that answers the n-th exec with the n-th of `answers`, the last one for ever. */
async function hostile(
  answers: readonly ((channel: ServerChannel, connection: Connection) => void)[],
  limits: { readonly stallMs?: number; readonly loginMs?: number } = {},
) {
  let execs = 0
  const source = await startFakeSource((channel, _command, connection) => {
    const answer = answers[Math.min(execs++, answers.length - 1)]
    answer?.(channel, connection)
  })
  cleanups.push(source.stop)
  const sink = startTransfer({ trusted: [source.key], limits })
  cleanups.push(() => sink.transfer.stop())
  return { ...source, transfer: sink.transfer, record: sink.record, execs: () => execs }
}

const says =
  (text: string, code = 0) =>
  (channel: ServerChannel) => {
    channel.write(Buffer.from(text, 'latin1'))
    endExec(channel, code)
  }

describe('a source that lies about a file', () => {
  test.each(scpLies)(
    '%s: nothing of it is taken, the next file comes on another channel',
    async (_, lie) => {
      const peer = await hostile([says(lie), says(second)])
      const stages = memoryStages()
      const [, next] = wanted
      const both = await collect(peer.transfer, peer.target, wanted, { stages })
      expect(both).toMatchObject({ error: null, left: 0 })
      expect(both.kinds[0]).toBe('source-mismatch')
      expect(both.kinds[1]).toMatch(/pulled|superseded|pull-failed/)
      expect(
        stages.all.filter((stage) => stage.path === 'dir/first' && stage.state() === 'finished'),
      ).toEqual([])
      // The connection is still good for honest answers.
      const again = await collect(peer.transfer, peer.target, next === undefined ? [] : [next])
      expect(again.kinds).toEqual(['pulled'])
      expect(peer.record.rejections[0]).toMatch(/^scp:(record|content)$/)
      const line = peer.record.lines.find(({ message }) => message === 'a source was refused')
      expect(line?.level).toBe('warn')
      expect(line?.text).not.toMatch(/[\x00-\x1f\x7f]/)
      expect(line?.text.length).toBeLessThan(1000)
    },
  )
})

test.each([
  ['a larger size', 'C0644 4 first\none!\0'],
  ['a smaller size', 'C0644 2 first\non\0'],
  ['another name', 'C0644 3 other\none\0'],
])('%s is refused before anything is staged', async (_, lie) => {
  const peer = await hostile([says(lie)])
  const stages = memoryStages()
  const result = await collect(peer.transfer, peer.target, wanted.slice(0, 1), { stages })
  expect(result.kinds).toEqual(['source-mismatch'])
  expect(stages.all).toEqual([])
})

describe('a source that lies about a good file', () => {
  test('modes and times are not obeyed: a file of mode 07777 from the far future is only its bytes', async () => {
    const peer = await hostile([
      says('T9999999999999999 0 9999999999999999 0\nC7777 3 first\none\0' + second),
    ])
    expect(await collect(peer.transfer, peer.target, wanted)).toMatchObject({
      kinds: ['pulled', 'pulled'],
    })
  })

  test.each([
    ['bytes after the end', `${first}${second}more`],
    ['a third file', `${first}${second}C0644 3 third\nxxx\0`],
    ['an error after the end', `${first}${second}\x01scp: surprise\n`],
  ])('%s spoil the last file', async (_, text) => {
    const peer = await hostile([says(text)])
    const result = await collect(peer.transfer, peer.target, wanted)
    expect(result).toMatchObject({ kinds: ['pulled', 'source-mismatch'], left: 0, error: null })
    expect(peer.record.rejections).toEqual(['scp:record'])
  })

  test('bytes after the end that come later too', async () => {
    const peer = await hostile([
      (channel) => {
        channel.write(first + second)
        setTimeout(() => says('more')(channel), 50)
      },
    ])
    const result = await collect(peer.transfer, peer.target, wanted)
    expect(result).toMatchObject({ kinds: ['pulled', 'source-mismatch'], left: 0 })
  })

  test.each([
    ['1', '\x01scp: Input/output error\n', ['pull-failed', 'pulled']],
    ['2', '\x02scp: fatal\n', ['pull-failed', 'pulled']],
  ])('trailer %s after good bytes fails the file', async (_, trailer, kinds) => {
    const peer = await hostile([
      says(`C0644 3 first\none${trailer}${trailer.startsWith('\x01') ? second : ''}`),
      says(second),
    ])
    const result = await collect(peer.transfer, peer.target, wanted)
    expect(result).toMatchObject({ kinds, left: 0, error: null })
  })

  test('error texts are cut and cleaned', async () => {
    const peer = await hostile([says(`\x01scp: \x1b[31m${'x'.repeat(3000)}\n${second}`)])
    const result = await collect(peer.transfer, peer.target, wanted)
    expect(result.kinds).toEqual(['pull-failed', 'pulled'])
    expect(result.messages[0]).toContain('\\x1b[31m')
    expect(result.messages[0]?.length).toBeLessThan(400)
  })
})

describe('a source that does not end well', () => {
  test('that closes in the middle of a file fails it and is asked for the rest', async () => {
    const peer = await hostile([says('C0644 3 first\non', 1), says(second)])
    const result = await collect(peer.transfer, peer.target, wanted)
    expect(result).toMatchObject({ kinds: ['pull-failed', 'pulled'], left: 0, error: null })
    expect(peer.execs()).toBe(2)
  })

  test('that closes after the first file is asked for the rest', async () => {
    const peer = await hostile([says(first), says(second)])
    const result = await collect(peer.transfer, peer.target, wanted)
    expect(result).toMatchObject({ kinds: ['pulled', 'pulled'], left: 0, error: null })
  })

  test('that closes at once again and again is given up with what it said', async () => {
    const peer = await hostile([
      (channel) => {
        channel.stderr.write('\x1b[2Jno such program\n')
        endExec(channel, 127)
      },
    ])
    const result = await collect(peer.transfer, peer.target, wanted)
    expect(result).toMatchObject({ kinds: [], error: 'protocol', left: 0 })
    expect(result.errorText).toContain('\\x1b[2Jno such program (exit status 127)')
  })

  test('that lies about every file is given up before all are asked for', async () => {
    const many = Array.from({ length: 100 }, (_, index) => request(`f${index}`, `${index}`))
    const peer = await hostile([says('C0644 3 lie\nlie\0')])
    const result = await collect(peer.transfer, peer.target, many)
    expect(result).toMatchObject({ error: 'protocol', left: 0 })
    expect(peer.execs()).toBeLessThan(20)
  })

  test('that gives no exit status and closes nothing is not waited for', async () => {
    const peer = await hostile([(channel) => void channel.write(first + second)])
    const result = await collect(peer.transfer, peer.target, wanted)
    expect(result).toMatchObject({ kinds: ['pulled', 'pulled'], error: null })
  })

  test('that cuts the connection in the middle throws unreachable', async () => {
    const peer = await hostile([
      (channel, connection) => {
        channel.write(`${first}C0644 3 sec`)
        setTimeout(() => connection.end(), 20)
      },
    ])
    const result = await collect(peer.transfer, peer.target, wanted)
    expect(result).toMatchObject({ kinds: ['pulled'], error: 'unreachable', left: 0 })
  })

  test.each([
    ['says nothing', () => undefined],
    ['says a byte at a time', drip],
    ['stops in the middle', (channel: ServerChannel) => void channel.write('C0644 3 first\non')],
  ])('that %s stalls', async (_, answer) => {
    const peer = await hostile([answer], { stallMs: 200 })
    const result = await collect(peer.transfer, peer.target, [
      request('dir/first', 'x'.repeat(5000)),
      ...wanted,
    ])
    expect(result.left).toBe(0)
    expect([...result.kinds, result.error]).toContain(
      result.kinds.length > 0 ? 'source-mismatch' : 'stalled',
    )
  })

  test('that never opens a channel stalls', async () => {
    const silent = await startFakeSource(() => undefined, { opensSessions: false })
    cleanups.push(silent.stop)
    const sink = startTransfer({ trusted: [silent.key], limits: { stallMs: 200 } })
    cleanups.push(() => sink.transfer.stop())
    expect((await collect(sink.transfer, silent.target, wanted)).error).toBe('stalled')
  })

  test('that never says who it is, is unreachable', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined))
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const sink = startTransfer({ limits: { loginMs: 200 } })
    const target: PullTarget = {
      address: 'x:1',
      host: '127.0.0.1',
      key: '',
      source: { kind: 'embedded', port },
    }
    expect((await collect(sink.transfer, target, wanted)).error).toBe('unreachable')
    await sink.transfer.stop()
    server.close()
  })
})

describe('a source that floods', () => {
  test('stderr without end is cut off, and memory does not grow', async () => {
    let written = 0
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const peer = await hostile([
      (channel) => {
        const more = (): void => {
          if (channel.destroyed || written > 1e9) return
          written += chunk.length
          if (channel.stderr.write(chunk)) setImmediate(more)
          else channel.stderr.once('drain', more)
        }
        more()
      },
    ])
    const result = await collect(peer.transfer, peer.target, wanted)
    expect(result).toMatchObject({ left: 0 })
    expect(result.kinds[0]).toBe('source-mismatch')
    expect(written).toBeLessThan(100e6)
    expect(peer.record.rejections).toContain('scp:record')
  })

  test('data beyond its window while the stage is busy loses it the connection', async () => {
    const blocked = Promise.withResolvers<void>()
    const size = 64 * 1024 * 1024
    const peer = await hostile([
      (channel) => {
        channel.write(`C0644 ${size} first\n`)
        // ssh2 drops what comes at a window of exactly 0; pieces of this size pass it by.
        const chunk = Buffer.alloc(30_001)
        const more = (sent: number): void => {
          if (sent >= size || peer.connections.size === 0) return
          // As if the window were endless.
          overrun(channel, chunk)
          setImmediate(() => more(sent + chunk.length))
        }
        more(0)
      },
    ])
    const stages = memoryStages((step) => (step === 'write' ? blocked.promise : undefined))
    const large = { ...request('dir/first', ''), sizeBytes: size }
    const pulling = collect(peer.transfer, peer.target, [large], { stages })
    await until(() => peer.connections.size === 1)
    await until(() => peer.connections.size === 0)
    blocked.resolve()
    expect(await pulling).toMatchObject({ error: 'protocol', left: 0 })
  })
})

function drip(channel: ServerChannel): void {
  const text = `C0644 5000 first\n${'x'.repeat(5000)}`
  let at = 0
  const timer = setInterval(() => {
    if (at >= text.length || !channel.writable) clearInterval(timer)
    else channel.write(text.charAt(at++))
  }, 20)
}

/** Hands data to ssh2 below its own window. */
function overrun(channel: ServerChannel, chunk: Buffer): void {
  const outgoing: unknown = channel.outgoing
  if (typeof outgoing === 'object' && outgoing !== null)
    Object.assign(outgoing, { window: 2 ** 31 })
  if (channel.writable) channel.write(chunk)
}
