import { SyndError } from '../../src/core/errors.ts'
import type { Announcement, Hello, HelloAnswer } from '../../src/core/protocol.ts'
import type { Network, NetworkHandler } from '../../src/engine/ports.ts'
import { ProcessEnded } from '../support/memory-disk-attached.ts'
import type { VirtualTime } from '../support/virtual-clock.ts'
import type { Life } from './life.ts'
import type { Trace } from './trace.ts'
import type { Link, Wire } from './wire.ts'

const redialMs = 500

/** What a network is to others on the wire. */
export interface Station {
  readonly key: string
  readonly handler: NetworkHandler | null
  isRunning(): boolean
}

/** The `Network` port of one life of one simulated peer. Addresses are the names of peers. */
export class MemoryNetwork implements Network, Station {
  readonly key: string
  readonly #name: string
  readonly #wire: Wire<Station>
  readonly #time: VirtualTime
  readonly #life: Life
  readonly #trace: Trace
  readonly #onBug: (error: unknown) => void
  readonly #dropped = new Set<string>()
  readonly #dialled = new Set<string>()
  readonly #links = new Map<string, Link>()
  #addresses: readonly string[]
  #unresolved: readonly string[]
  handler: NetworkHandler | null = null
  #isStopped = false

  constructor(parts: {
    name: string
    key: string
    addresses: readonly string[]
    unresolved: readonly string[]
    wire: Wire<Station>
    time: VirtualTime
    life: Life
    trace: Trace
    /** A side of a link failed in a way that links do not. */
    onBug: (error: unknown) => void
  }) {
    this.key = parts.key
    this.#name = parts.name
    this.#addresses = parts.addresses
    this.#unresolved = parts.unresolved
    this.#wire = parts.wire
    this.#time = parts.time
    this.#life = parts.life
    this.#trace = parts.trace
    this.#onBug = parts.onBug
  }

  async start(handler: NetworkHandler): Promise<void> {
    this.handler = handler
    this.#wire.come(this.#name, this)
    this.resolve(this.#addresses, this.#unresolved)
  }

  isRunning(): boolean {
    return !this.#isStopped && !this.#life.isOver
  }

  /** What a look-up gives from now on. */
  resolve(addresses: readonly string[], unresolved: readonly string[]): void {
    this.#addresses = addresses
    this.#unresolved = unresolved
    this.handler?.addressesChanged(addresses, unresolved)
    for (const [address, link] of this.#links)
      if (!addresses.includes(address)) this.#wire.close(link, 'here')
    for (const address of addresses) {
      if (this.#dialled.has(address)) continue
      this.#dialled.add(address)
      this.#dialAfter(address, 1)
    }
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
      if (!this.isRunning() || this.#dropped.has(address)) return
      if (this.#addresses.includes(address)) void this.#dial(address)
      else this.#dialled.delete(address)
    })
  }

  async #dial(address: string): Promise<void> {
    try {
      await this.#greet(address)
    } catch (error) {
      this.#demandExpected(error)
      if (error instanceof SyndError && this.isRunning()) this.handler?.dialFailed(address, error)
      this.#dialAfter(address, redialMs)
    }
  }

  async #greet(address: string): Promise<void> {
    const { handler } = this
    if (handler === null) return
    const hello = this.#life.around('hello', address, () => handler.hello())
    const there = this.#demandReach(address)
    await this.#travel()
    const answer = this.#ask(address, there, hello)
    await this.#travel()
    if (this.#demandReach(address) !== there || !this.isRunning())
      throw new SyndError('unreachable', 'gone meanwhile')
    this.#open(address, { hello, answer, there })
  }

  #ask(address: string, there: Station, hello: Hello): HelloAnswer {
    if (this.#demandReach(address) !== there) throw new SyndError('unreachable', 'gone meanwhile')
    const answer = there.handler?.answerHello(hello, { key: this.key })
    if (answer === undefined) throw new SyndError('unreachable', 'nobody answers')
    this.#trace.call(`${this.#name} hello ${address}`, hello, answer)
    return answer
  }

  #open(
    address: string,
    { hello, answer, there }: { hello: Hello; answer: HelloAnswer; there: Station },
  ): void {
    const { handler } = this
    const theirs = there.handler
    if (handler === null || theirs === null) return
    const link = this.#wire.open({ from: this.#name, to: address })
    this.#links.set(address, link)
    const { announcements, replies } = link
    const inbound = theirs.runInbound({
      hello,
      answer,
      key: this.key,
      announcements,
      reply: (reply) => {
        this.#trace.call(`${address} reply ${this.#name}`, reply, null)
        return this.#wire.carry(link, 'reply', () => replies.push(reply))
      },
      close: () => this.#wire.close(link, 'there'),
    })
    const outbound = handler.runOutbound({
      address,
      host: address,
      hello,
      key: there.key,
      answer,
      replies,
      send: (announcement) => {
        this.#trace.call(`${this.#name} send ${address}`, announcement, null)
        return this.#life.around('send', address, () =>
          this.#wire.carry(link, 'announcement', () => {
            for (const part of this.#split(announcement)) announcements.push(part)
          }),
        )
      },
      close: () => this.#wire.close(link, 'here'),
    })
    void this.#end(inbound, () => this.#wire.close(link, 'there'))
    void this.#end(outbound, () => {
      this.#wire.close(link, 'here')
      this.#links.delete(address)
      this.#dialAfter(address, redialMs)
    })
  }

  /** What one announcement says may as well come as two. */
  #split(announcement: Announcement): Announcement[] {
    const { entries, head } = announcement
    const at = this.#wire.cutAt(entries.length)
    const last = at === null ? undefined : entries[at - 1]
    if (at === null || last === undefined) return [announcement]
    return [
      { entries: entries.slice(0, at), upTo: last.sequence, head },
      { ...announcement, entries: entries.slice(at) },
    ]
  }

  async #end(side: Promise<void>, close: () => void): Promise<void> {
    try {
      await side
    } catch (error) {
      this.#demandExpected(error)
    }
    close()
  }

  #demandReach(address: string): Station {
    const there = this.#wire.reach(this.#name, address)
    if (there === null || !there.isRunning() || there.handler === null)
      throw new SyndError('unreachable', 'nobody answers')
    return there
  }

  #travel(): Promise<void> {
    return new Promise((resolve) => {
      this.#time.after(this.#wire.delayMs(), resolve)
    })
  }

  /** A link that ends with an error of the network, or because a process died, is what links do; anything else is a bug. */
  #demandExpected(error: unknown): void {
    if (error instanceof SyndError || error instanceof ProcessEnded) return
    this.#onBug(error)
  }
}
