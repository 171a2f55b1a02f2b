import { createHash } from 'node:crypto'
import type { Connection, ServerChannel } from 'ssh2'
import { afterEach, describe, expect, test } from 'vitest'
import { parseDigest } from '../../src/core/digest.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import type { PullRequest } from '../../src/engine/ports.ts'
import { collect, until } from './collect.ts'
import { endExec, startFakeSource } from './fake-source.ts'
import { startTransfer } from './peers.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop()
})

const file: PullRequest = {
  path: parseRelativePath('dir/file'),
  digest: parseDigest(createHash('sha256').update('one').digest('hex')),
  sizeBytes: 3,
}

function serve(channel: ServerChannel): void {
  channel.write('C0644 3 file\none\0')
  endExec(channel)
}

/** Counts sessions as an sshd with `MaxSessions` does; `closed` is told when a client closed one, which is taken until `free` is called. */
async function limited(options: {
  readonly maxSessions: number
  readonly closed: (free: () => void) => void
  readonly answer?: (channel: ServerChannel) => void
  readonly mayRun?: () => boolean
}) {
  const taken = new Map<Connection, number>()
  const sessionsOf = (connection: Connection): number => taken.get(connection) ?? 0
  let refused = 0
  const source = await startFakeSource(
    (channel, _command, connection) => {
      channel.on('close', () =>
        options.closed(() => taken.set(connection, sessionsOf(connection) - 1)),
      )
      const answer = options.answer ?? serve
      answer(channel)
    },
    {
      mayRun: options.mayRun ?? (() => true),
      mayOpen: (connection) => {
        const isFull = sessionsOf(connection) >= options.maxSessions
        if (isFull) refused++
        else taken.set(connection, sessionsOf(connection) + 1)
        return !isFull
      },
    },
  )
  cleanups.push(source.stop)
  const { transfer } = startTransfer({ trusted: [source.key] })
  cleanups.push(() => transfer.stop())
  return {
    ...source,
    pull: () => collect(transfer, source.target, [file]),
    refused: () => refused,
    /** Connections that ever asked for a session. */
    logins: () => taken.size,
  }
}

/** As soon as it can. */
const atOnce = (free: () => void): void => free()

describe('a source of few sessions', () => {
  test.each([1, 2, 3])(
    'of %i, which it frees some time after it closed their channels, serves many pulls at once and is not stormed',
    async (maxSessions) => {
      const peer = await limited({ maxSessions, closed: (free) => void setTimeout(free, 300) })
      const results = await Promise.all(Array.from({ length: 10 }, () => peer.pull()))
      expect(results.map(({ error, errorText }) => [error, errorText])).toEqual(
        results.map(() => [null, '']),
      )
      expect(results.flatMap(({ kinds }) => kinds)).toEqual(results.map(() => 'pulled'))
      expect(peer.logins()).toBe(1)
      // Seven at the beginning; after each close as often as a doubling rest fits into the 300 ms, and sometimes one that asks for more.
      expect(peer.refused()).toBeLessThan(7 + 10 * 8)
    },
  )

  test('that do not come back is left for a new connection, which has sessions of its own', async () => {
    const peer = await limited({ maxSessions: 1, closed: () => undefined })
    expect((await peer.pull()).kinds).toEqual(['pulled'])
    const [lost, waiting] = await Promise.all([peer.pull(), peer.pull()])
    expect([lost.error, waiting.error]).toEqual(['unreachable', 'unreachable'])
    expect(lost.errorText).toContain('stay taken')
    expect(peer.refused()).toBeLessThan(20)
    expect((await peer.pull()).kinds).toEqual(['pulled'])
    expect(peer.logins()).toBe(2)
  }, 60_000)
})

describe('a source that refuses a command', () => {
  test('as one does that cannot start a process, is asked again over a new connection', async () => {
    let commands = 0
    const mayRun = (): boolean => ++commands !== 2
    const peer = await limited({ maxSessions: 1, closed: atOnce, mayRun })
    expect((await peer.pull()).kinds).toEqual(['pulled'])
    const refused = await peer.pull()
    expect(refused.error).toBe('unreachable')
    expect(refused.errorText).toContain('refuses one (Unable to exec)')
    // The session of the refused command is taken for ever.
    for (let again = 0; again < 3; again++) expect((await peer.pull()).kinds).toEqual(['pulled'])
    expect(peer.logins()).toBe(2)
  })

  test('loses nothing else that is under way', async () => {
    const held: ServerChannel[] = []
    let commands = 0
    const peer = await limited({
      maxSessions: 2,
      closed: atOnce,
      answer: (channel) => {
        if (commands === 1) held.push(channel)
        else serve(channel)
      },
      mayRun: () => ++commands !== 2,
    })
    const slow = peer.pull()
    await until(() => held.length === 1)
    expect((await peer.pull()).error).toBe('unreachable')
    for (const channel of held) serve(channel)
    expect((await slow).kinds).toEqual(['pulled'])
    // It is left once nothing is under way.
    await until(() => peer.connections.size === 0)
    expect((await peer.pull()).kinds).toEqual(['pulled'])
    expect(peer.logins()).toBe(2)
  })

  test('each time, says so, and leaves no session behind', async () => {
    const peer = await limited({ maxSessions: 10, closed: atOnce, mayRun: () => false })
    for (let again = 0; again < 3; again++) {
      const result = await peer.pull()
      expect(result).toMatchObject({ error: 'protocol', kinds: [], left: 0 })
      expect(result.errorText).toContain('it runs no command for us (Unable to exec)')
      expect(result.errorText).not.toContain('MaxSessions')
    }
    await until(() => peer.connections.size === 0)
  })
})
