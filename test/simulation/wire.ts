import { SyndError } from '../../src/core/errors.ts'
import type { Announcement, Reply } from '../../src/core/protocol.ts'
import { Channel } from '../support/channel.ts'
import type { Random } from '../support/random.ts'
import type { VirtualTime } from '../support/virtual-clock.ts'

/** Now and then something takes much longer than usual. */
const slowMs = 4_000

/** How long one side may take a broken link for whole. */
const lingerMs = 3_000

/** One stream between two processes: in order, without gaps, until it breaks. */
export interface Link {
  readonly from: string
  readonly to: string
  readonly announcements: Channel<Announcement>
  readonly replies: Channel<Reply>
  readonly lastArrivalMs: { announcement: number; reply: number }
  isUpThere: boolean
  isUpHere: boolean
  /** Nothing arrives after this. */
  cutoffMs: number
}

/** The wire between all simulated peers: who is up, who can reach whom, how long a message takes. */
export class Wire<Station> {
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #stations = new Map<string, Station>()
  readonly #cut = new Set<string>()
  readonly #links = new Set<Link>()
  maxDelayMs = 30

  constructor({ time, random }: { time: VirtualTime; random: Random }) {
    this.#time = time
    this.#random = random
  }

  come(name: string, station: Station): void {
    this.#stations.set(name, station)
  }

  go(name: string): void {
    this.#stations.delete(name)
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

  /** One of the links of `name` goes down, as when a connection is reset. */
  breakOne(name: string): void {
    const links = [...this.#links].filter(({ from, to }) => from === name || to === name)
    if (links.length > 0) this.break(this.#random.pick(links))
  }

  reach(from: string, to: string): Station | null {
    return this.#cut.has(pair(from, to)) ? null : (this.#stations.get(to) ?? null)
  }

  /** Two have links to each other, and whatever was sent on them has been there for so long. */
  isQuiet(a: string, b: string, forMs: number): boolean {
    const links = [...this.#links].filter(({ from, to }) => pair(from, to) === pair(a, b))
    const senders = new Set(links.map(({ from }) => from))
    const isThere = ({ lastArrivalMs: { announcement, reply } }: Link): boolean =>
      Math.max(announcement, reply) + forMs <= this.#time.nowMs
    return senders.size === 2 && links.every(isThere)
  }

  delayMs(): number {
    return this.#random.isLikely(0.01)
      ? this.#random.fraction() * slowMs
      : this.#random.fraction() * this.maxDelayMs
  }

  open({ from, to }: { from: string; to: string }): Link {
    const link: Link = {
      from,
      to,
      announcements: new Channel(),
      replies: new Channel(),
      lastArrivalMs: { announcement: 0, reply: 0 },
      isUpHere: true,
      isUpThere: true,
      cutoffMs: Infinity,
    }
    this.#links.add(link)
    return link
  }

  /**
   * A link goes down. What is under way may be lost or may still arrive, and one side may not notice for a while: then it still takes what
   * arrives late, and what it says goes nowhere.
   */
  break(link: Link): void {
    if (!this.#links.delete(link)) return
    const lateMs = (): number =>
      this.#random.isLikely(0.3) ? this.#random.fraction() * lingerMs : 0
    link.cutoffMs = this.#time.nowMs + lateMs()
    this.#time.after(lateMs(), () => {
      link.isUpHere = false
      link.replies.end()
    })
    this.#time.after(lateMs(), () => {
      link.isUpThere = false
      link.announcements.end()
    })
  }

  /** One side closes the link: it hears nothing more, and the other side learns of it by and by. */
  close(link: Link, side: 'here' | 'there'): void {
    this.break(link)
    if (side === 'there') {
      link.isUpThere = false
      link.announcements.end()
    } else {
      link.isUpHere = false
      link.replies.end()
    }
  }

  /** Sends one message; resolves when there is room for the next, rejects when this side knows that the link is down. */
  async carry(link: Link, direction: 'announcement' | 'reply', deliver: () => void): Promise<void> {
    const isUp = direction === 'reply' ? link.isUpThere : link.isUpHere
    if (!isUp) throw new SyndError('unreachable', 'the link is down')
    const { nowMs } = this.#time
    const isSentInVain = !this.#links.has(link)
    const arrivalMs = Math.max(link.lastArrivalMs[direction], nowMs + this.delayMs())
    link.lastArrivalMs[direction] = arrivalMs
    const isAwaited = this.#random.isLikely(0.3)
    await new Promise<void>((resolve) => {
      if (!isAwaited) resolve()
      this.#time.after(arrivalMs - nowMs, () => {
        if (!isSentInVain && arrivalMs <= link.cutoffMs) deliver()
        resolve()
      })
    })
  }

  /** Where a message is cut in two that arrive one after the other; null: not at all. */
  cutAt(entries: number): number | null {
    return entries > 1 && this.#random.isLikely(0.3) ? 1 + this.#random.below(entries - 1) : null
  }
}

function pair(a: string, b: string): string {
  return [a, b].toSorted().join('|')
}
