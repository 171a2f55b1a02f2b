import type { Announcement } from '../../core/protocol.ts'
import { compareVectors } from '../../core/version-vector.ts'
import type { FirstLook } from '../first-look.ts'
import type { Ledger } from '../ledger.ts'
import type { Inbox } from '../pull/inbox.ts'
import type { Caller, Peers } from './peers.ts'
import type { Clock, InboundLink, Observer, Store } from '../ports.ts'
import type { Receipts } from './receipts.ts'
import { tellAnew } from './tell-anew.ts'
import type { Self } from '../self.ts'
import type { Serial } from '../serial.ts'

/** Ranges in one acknowledgement. */
const maxRanges = 1_000

/** The stream of a peer that dialled us: records what it announces, then acknowledges (rules 16 and 17). */
export class Inbound {
  readonly #store: Store
  readonly #clock: Clock
  readonly #serial: Serial
  readonly #self: Self
  readonly #peers: Peers
  readonly #inbox: Inbox
  readonly #ledger: Ledger
  readonly #observer: Observer
  readonly #firstLook: Pick<FirstLook, 'isDone' | 'done'>
  readonly #onForeignCounter: () => void

  constructor(parts: {
    store: Store
    clock: Clock
    serial: Serial
    self: Self
    peers: Peers
    inbox: Inbox
    ledger: Ledger
    observer: Observer
    firstLook: Pick<FirstLook, 'isDone' | 'done'>
    /** Somebody has seen a counter under our id that we did not issue (rule 1). */
    onForeignCounter: () => void
  }) {
    this.#store = parts.store
    this.#clock = parts.clock
    this.#serial = parts.serial
    this.#self = parts.self
    this.#peers = parts.peers
    this.#inbox = parts.inbox
    this.#ledger = parts.ledger
    this.#observer = parts.observer
    this.#firstLook = parts.firstLook
    this.#onForeignCounter = parts.onForeignCounter
  }

  /** Runs until the link is down. A peer that dials again replaces its old stream. */
  async run(link: InboundLink): Promise<void> {
    const { peerId } = link.hello
    this.#peers.callers.get(peerId)?.link.close()
    const caller: Caller = {
      link,
      sinceMs: this.#clock.monotonicMs(),
      toldSettled: null,
      toldDiverged: 0,
    }
    this.#peers.callers.set(peerId, caller)
    const receipts = this.#peers.receipts(peerId)
    receipts.startOver()
    for (const path of receipts.openPaths()) this.#inbox.add(path)
    try {
      await this.acknowledge(link, receipts)
      for await (const announcement of link.announcements) {
        // What comes late on a stream that was replaced was said before what the new one says.
        const isCurrent = (): boolean => this.#peers.callers.get(peerId) === caller
        if (isCurrent() && this.#replacesWhatMayBeHere(link, announcement)) {
          // There is more than what is recorded: nobody is in sync meanwhile.
          receipts.head = announcement.head
          if (!(await this.#firstLook.done())) return
        }
        await this.#serial.run(async () => {
          if (isCurrent()) this.#record(link, announcement, receipts)
        })
        if (!isCurrent()) return
        await this.acknowledge(link, receipts)
      }
    } finally {
      if (this.#peers.callers.get(peerId) === caller) this.#peers.callers.delete(peerId)
    }
  }

  async acknowledge(link: InboundLink, receipts: Receipts): Promise<void> {
    const news = receipts.take()
    if (news === null) return
    const { recordedUpTo, ranges } = news
    let from = 0
    do {
      const part = ranges.slice(from, from + maxRanges)
      await link.reply({ kind: 'acknowledgement', recordedUpTo, ranges: part })
      from += maxRanges
    } while (from < ranges.length)
  }

  /**
   * A life before may have put a version on the disk and not into the index. The first look knows it by what was announced (rule 10): what has the
   * place of that has to wait, or the version would be taken for a change that was made here.
   */
  #replacesWhatMayBeHere({ hello }: InboundLink, { entries }: Announcement): boolean {
    if (this.#firstLook.isDone) return false
    return entries.some(({ entry: { path } }) => {
      const told = this.#store.remoteOf(hello.peerId, path)
      const known = this.#store.get(path)
      if (told === null || known === null) return told !== null
      return compareVectors(known.entry.version, told.entry.version) === 'behind'
    })
  }

  /** One transaction: what was announced, and up to where (rule 16). */
  #record(link: InboundLink, announcement: Announcement, receipts: Receipts): void {
    const { entries, upTo, head, refused = [] } = announcement
    const { peerId, epoch, name } = link.hello
    const wasComplete = receipts.isComplete
    this.#store.commit({
      remote: entries.map(({ entry, sequence }) => ({ peer: peerId, entry, sequence })),
      recorded: [{ peerId, epoch, sequence: upTo, key: link.key, name }],
    })
    receipts.recorded(entries, upTo)
    receipts.head = head
    receipts.refuse(refused)
    let isForeign = false
    for (const { entry } of entries) {
      this.#inbox.add(entry.path, peerId)
      const counter = entry.version.get(this.#self.peerId)
      if (counter !== undefined && this.#self.saw(counter)) isForeign = true
    }
    if (entries.length > 0)
      this.#observer.notified(this.#peers.addressOf(peerId), 'received', entries.length)
    // Some wait to know all of it. Not at every announcement: others wait because they failed.
    if (receipts.isComplete && !wasComplete) this.#inbox.hurry()
    const delivery = this.#peers.linked(peerId)?.delivery ?? null
    // Without a link it comes when there is one.
    if (delivery !== null) {
      const told = entries.map(({ entry }) => entry)
      tellAnew({ store: this.#store, ledger: this.#ledger }, told, (sequence) =>
        delivery.isOpen(sequence),
      )
    }
    if (isForeign) this.#onForeignCounter()
  }
}
