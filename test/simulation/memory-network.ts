import { SyndError } from '../../src/core/errors.ts'
import type { Announcement, Reply } from '../../src/core/protocol.ts'
import type { Network, NetworkHandler } from '../../src/engine/ports.ts'
import { Channel } from '../support/channel.ts'
import type { Random } from '../support/random.ts'
import type { VirtualTime } from '../support/virtual-clock.ts'

const redialMs = 500

/** The wire between all simulated peers: who is up, who can reach whom, how long a message takes. */
export class Wire {
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #up = new Map<string, MemoryNetwork>()
  readonly #cut = new Set<string>()
  readonly #links = new Set<Link>()
  maxDelayMs = 30

  constructor({ time, random }: { time: VirtualTime; random: Random }) {
    this.#time = time
    this.#random = random
  }

  come(name: string, network: MemoryNetwork): void {
    this.#up.set(name, network)
  }

  go(name: string): void {
    this.#up.delete(name)
    for (const link of this.#links) if (link.from === name || link.to === name) this.break(link)
  }

  cut(a: string, b: string): void {
    this.#cut.add(pair(a, b))
    for (const link of this.#links) if (pair(link.from, link.to) === pair(a, b)) this.break(link)
  }

  join(a: string, b: string): void {
    this.#cut.delete(pair(a, b))
  }

  joinAll(): void {
    this.#cut.clear()
  }

  /** One link loses what is under way and goes down, as when a connection is reset. */
  breakOne(): void {
    const links = [...this.#links]
    if (links.length > 0) this.break(this.#random.pick(links))
  }

  reach(from: string, to: string): MemoryNetwork | null {
    return this.#cut.has(pair(from, to)) ? null : (this.#up.get(to) ?? null)
  }

  open(link: Link): void {
    this.#links.add(link)
  }

  break(link: Link): void {
    this.#links.delete(link)
    link.announcements.end()
    link.replies.end()
    link.isDown = true
    link.onDown()
  }

  /** Delivers in order, each after its own delay; what is under way when the link breaks is lost. */
  async carry(link: Link, direction: 'announcement' | 'reply', deliver: () => void): Promise<void> {
    if (link.isDown) throw new SyndError('unreachable', 'the link is down')
    const now = this.#time.nowMs
    const arrival = Math.max(
      link.lastArrivalMs[direction],
      now + this.#random.fraction() * this.maxDelayMs,
    )
    link.lastArrivalMs[direction] = arrival
    this.#time.after(arrival - now, () => {
      if (!link.isDown) deliver()
    })
  }
}

interface Link {
  readonly from: string
  readonly to: string
  readonly announcements: Channel<Announcement>
  readonly replies: Channel<Reply>
  readonly lastArrivalMs: { announcement: number; reply: number }
  readonly onDown: () => void
  isDown: boolean
}

/** The `Network` port of one life of one simulated peer. Addresses are the names of peers; a peer's key is its name. */
export class MemoryNetwork implements Network {
  readonly #name: string
  readonly #addresses: readonly string[]
  readonly #wire: Wire
  readonly #time: VirtualTime
  readonly #dropped = new Set<string>()
  #handler: NetworkHandler | null = null
  #isStopped = false

  constructor(parts: {
    name: string
    addresses: readonly string[]
    wire: Wire
    time: VirtualTime
  }) {
    this.#name = parts.name
    this.#addresses = parts.addresses
    this.#wire = parts.wire
    this.#time = parts.time
  }

  async start(handler: NetworkHandler): Promise<void> {
    this.#handler = handler
    this.#wire.come(this.#name, this)
    handler.addressesChanged(this.#addresses, [])
    for (const address of this.#addresses) this.#dialAfter(address, 1)
  }

  dropAddress(address: string): void {
    this.#dropped.add(address)
  }

  async stop(): Promise<void> {
    this.kill()
  }

  kill(): void {
    this.#isStopped = true
    this.#wire.go(this.#name)
  }

  #dialAfter(address: string, delayMs: number): void {
    this.#time.after(delayMs, () => {
      if (!this.#isStopped && !this.#dropped.has(address)) this.#dial(address)
    })
  }

  #dial(address: string): void {
    const handler = this.#handler
    const answerer = this.#wire.reach(this.#name, address)
    const theirs = answerer === null ? null : answerer.#handler
    if (handler === null || theirs === null) {
      handler?.dialFailed(address, new SyndError('unreachable', 'nobody answers'))
      this.#dialAfter(address, redialMs)
      return
    }
    const announcements = new Channel<Announcement>()
    const replies = new Channel<Reply>()
    try {
      const hello = handler.hello()
      const answer = theirs.answerHello(hello, { key: this.#name })
      const link: Link = {
        from: this.#name,
        to: address,
        announcements,
        replies,
        lastArrivalMs: { announcement: 0, reply: 0 },
        isDown: false,
        onDown: () => this.#dialAfter(address, redialMs),
      }
      this.#wire.open(link)
      const close = (): void => {
        if (!link.isDown) this.#wire.break(link)
      }
      const inbound = theirs.runInbound({
        hello,
        key: this.#name,
        announcements,
        reply: (reply) => this.#wire.carry(link, 'reply', () => replies.push(reply)),
        close,
      })
      const outbound = handler.runOutbound({
        address,
        host: address,
        key: address,
        answer,
        replies,
        send: (announcement) =>
          this.#wire.carry(link, 'announcement', () => announcements.push(announcement)),
        close,
      })
      for (const side of [inbound, outbound]) void side.catch(ignoreExpected).finally(close)
    } catch (error) {
      ignoreExpected(error)
      if (error instanceof SyndError) handler.dialFailed(address, error)
      this.#dialAfter(address, redialMs)
    }
  }
}

/** A link that ends with an error of the network, or because the process died, is what links do; anything else is a bug. */
function ignoreExpected(error: unknown): void {
  if (error instanceof SyndError) return
  if (error instanceof Error && error.name === 'ProcessEnded') return
  throw error
}

function pair(a: string, b: string): string {
  return [a, b].toSorted().join('|')
}
