import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SyndError } from '../../src/core/errors.ts'
import type { Announcement, Reply } from '../../src/core/protocol.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import type { Network } from '../../src/engine/ports.ts'
import { sampleEntries } from '../rpc/samples.ts'
import { FakeEngine } from './fake-engine.ts'

/** Some hosts that can reach each other by address; what a Network needs to be tried. */
export interface NetworkWorld {
  /** A network of the host `name`, not started; again after `stop`: the host was restarted. */
  create(name: string, peers: readonly string[]): Network
  /** Under which address the host is dialled. */
  addressOf(name: string): string
  /** Cuts every connection to the host `name`; new ones are possible at once. */
  cut(name: string): void
  /** Lets time pass until the condition holds; rejects when it does not for a long time. */
  until(condition: () => boolean): Promise<void>
  close(): Promise<void>
}

/** What every Network does, on sockets as in memory. */
export function networkSuite(name: string, open: () => Promise<NetworkWorld>): void {
  describe(`network: ${name}`, () => {
    let world: NetworkWorld
    let started: Network[]
    beforeEach(async () => {
      world = await open()
      started = []
    })
    afterEach(async () => {
      for (const network of started) await network.stop()
      await world.close()
    })

    async function start(host: string, peers: readonly string[], engine: FakeEngine) {
      const network = world.create(host, peers)
      started.push(network)
      await network.start(engine)
      return network
    }

    /** `a` dials `b`. */
    async function linked() {
      const a = new FakeEngine('a')
      const b = new FakeEngine('b')
      await start('b', [], b)
      await start('a', ['b'], a)
      await world.until(() => a.outbound.length > 0 && b.inbound.length > 0)
      return { a, b, outbound: a.outbound[0]!, inbound: b.inbound[0]! }
    }

    test('both sides learn what the other says of itself', async () => {
      const { a, b, outbound, inbound } = await linked()
      expect(inbound.hello).toEqual(a.hello())
      expect(outbound.answer).toEqual(b.answerOf())
      expect(outbound.address).toBe(world.addressOf('b'))
      expect(world.addressOf('b')).toContain(outbound.host)
      expect(b.callers).toEqual([{ hello: a.hello(), key: inbound.key }])
    })

    test('the addresses to dial are told before anything is dialled', async () => {
      const { a, b } = await linked()
      expect(a.addresses[0]).toEqual({ addresses: [world.addressOf('b')], unresolved: [] })
      expect(b.addresses[0]).toEqual({ addresses: [], unresolved: [] })
    })

    test('announcements arrive in order and whole', async () => {
      const { b, outbound } = await linked()
      const sent = [
        announcementOf(1, 7),
        { entries: [], upTo: 9, head: 9 },
        announcementOf(10, 1000),
        announcementOf(1010, 3),
      ]
      for (const announcement of sent) await outbound.send(announcement)
      await world.until(() => b.received.length >= sent.length)
      expect(b.received.map(withoutRefused)).toEqual(sent)
      for (const { refused } of b.received) expect(refused ?? []).toEqual([])
    })

    test('replies arrive in order and whole', async () => {
      const { a, inbound } = await linked()
      const replies: Reply[] = [
        { kind: 'acknowledgement', recordedUpTo: 0, ranges: [] },
        {
          kind: 'acknowledgement',
          recordedUpTo: 9,
          ranges: [
            { from: 1, to: 5, outcome: { kind: 'applied' } },
            { from: 6, to: 6, outcome: { kind: 'failed', code: 'disk-full' } },
            { from: 7, to: 8, outcome: { kind: 'not-wanted' } },
            { from: 9, to: 9, outcome: { kind: 'refused', code: 'bad-path' } },
          ],
        },
        { kind: 'settled', sequence: 12 },
        { kind: 'diverged', paths: 3 },
      ]
      for (const reply of replies) await inbound.reply(reply)
      await world.until(() => a.replies.length >= replies.length)
      expect(a.replies).toEqual(replies)
    })

    test('two peers that dial each other have a stream each way', async () => {
      const a = new FakeEngine('a')
      const b = new FakeEngine('b')
      await start('a', ['b'], a)
      await start('b', ['a'], b)
      await world.until(() => a.outbound.length > 0 && b.outbound.length > 0)
      await a.outbound[0]!.send(announcementOf(1, 2))
      await b.outbound[0]!.send(announcementOf(5, 3))
      await world.until(() => a.received.length > 0 && b.received.length > 0)
      expect(a.received[0]?.entries).toHaveLength(3)
      expect(b.received[0]?.entries).toHaveLength(2)
    })

    test('a Hello that is refused makes no link, and the dialler is told', async () => {
      const a = new FakeEngine('a')
      const b = new FakeEngine('b')
      b.refusal = new SyndError('untrusted', 'not you')
      await start('b', [], b)
      await start('a', ['b'], a)
      await world.until(() => a.failures.length > 1)
      expect(a.failures[0]).toMatchObject({ address: world.addressOf('b'), code: 'untrusted' })
      expect([a.outbound, b.inbound]).toEqual([[], []])
      b.refusal = null
      await world.until(() => a.outbound.length === 1 && b.inbound.length === 1)
    })

    test('a peer that is not there is dialled until it is', async () => {
      const a = new FakeEngine('a')
      const b = new FakeEngine('b')
      await start('a', ['b'], a)
      await world.until(() => a.failures.length > 1)
      expect(a.failures[0]).toMatchObject({ address: world.addressOf('b'), code: 'unreachable' })
      await start('b', [], b)
      await world.until(() => a.outbound.length > 0)
    })

    test('when the engine leaves an outbound link both ends are down, and the peer is dialled again', async () => {
      const { a, b, outbound, inbound } = await linked()
      a.joining = true
      a.leave(outbound)
      await world.until(() => b.ended.includes(inbound))
      await expect(outbound.send(announcementOf(1, 1))).rejects.toMatchObject({
        code: 'unreachable',
      })
      await world.until(() => b.inbound.length > 1)
      expect(b.inbound[1]?.hello.joining).toBe(true)
    })

    test('a link closed by either side is down on both, with nothing left hanging', async () => {
      const { a, b, inbound, outbound } = await linked()
      inbound.close()
      await world.until(() => a.ended.includes(outbound) && b.ended.includes(inbound))
      await expect(outbound.send(announcementOf(1, 1))).rejects.toMatchObject({
        code: 'unreachable',
      })
      await expect(inbound.reply({ kind: 'settled', sequence: 1 })).rejects.toMatchObject({
        code: 'unreachable',
      })
      await world.until(() => a.outbound.length > 1)
      const [, second] = a.outbound
      second!.close()
      await world.until(() => a.ended.includes(second!) && b.ended.length > 1)
    })

    test('a cut connection ends the links, and a new one is made', async () => {
      const { a, b, outbound, inbound } = await linked()
      world.cut('b')
      await world.until(() => a.ended.includes(outbound) && b.ended.includes(inbound))
      await world.until(() => a.outbound.length > 1 && b.inbound.length > 1)
      await a.outbound[1]!.send(announcementOf(1, 1))
      await world.until(() => b.received.length > 0)
    })

    test('a peer that is restarted is linked again', async () => {
      const { a, b, outbound, inbound } = await linked()
      await started[0]!.stop()
      expect(b.ended).toContain(inbound)
      await world.until(() => a.ended.includes(outbound))
      const again = new FakeEngine('b')
      await start('b', [], again)
      await world.until(() => again.inbound.length > 0)
      expect(b.inbound).toHaveLength(1)
    })

    test('who does not take what is sent keeps the sender waiting, and loses nothing', async () => {
      const b = new FakeEngine('b')
      const a = new FakeEngine('a')
      b.takes = 'nothing'
      await start('b', [], b)
      await start('a', ['b'], a)
      await world.until(() => a.outbound.length > 0 && b.inbound.length > 0)
      const count = 200
      let sent = 0
      const sending = (async () => {
        for (let index = 0; index < count; index++) {
          await a.outbound[0]!.send(announcementOf(1 + index * 1000, 1000))
          sent++
        }
      })()
      await world.until(() => sent > 0)
      for (let before = -1; before !== sent;) {
        before = sent
        await world.until(passing(20))
      }
      expect(sent).toBeLessThan(count)
      b.take(b.inbound[0]!)
      await sending
      await world.until(() => b.received.length >= count)
      expect(b.received.map(({ upTo }) => upTo)).toEqual(
        Array.from({ length: count }, (_, index) => (index + 1) * 1000),
      )
    })

    test('an address that is ourselves is not dialled again', async () => {
      const { a, b, outbound } = await linked()
      started[1]!.dropAddress(outbound.address)
      await world.until(() => a.ended.includes(outbound))
      const other = new FakeEngine('c')
      await start('c', ['b'], other)
      await world.until(() => other.outbound.length > 0)
      for (let round = 0; round < 3; round++) {
        const before = other.outbound.length
        world.cut('b')
        await world.until(() => other.outbound.length > before)
      }
      expect(a.outbound).toHaveLength(1)
      expect(b.inbound.filter(({ hello }) => hello.name === 'a')).toHaveLength(1)
    })
  })
}

/** True from the n-th time it is asked. */
function passing(times: number): () => boolean {
  let asked = 0
  return () => ++asked > times
}

function announcementOf(first: number, count: number): Announcement {
  const samples = sampleEntries()
  const entries = Array.from({ length: count }, (_, index) => {
    const sample = samples[index % samples.length]!
    const path = parseRelativePath(`directory/${'x'.repeat(100)}/${first + index}`)
    return { sequence: first + index, entry: { ...sample, path } }
  })
  return { entries, upTo: first + count - 1, head: first + count }
}

function withoutRefused({ entries, upTo, head }: Announcement): Announcement {
  return { entries, upTo, head }
}
