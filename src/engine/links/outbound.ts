import { sameEntry } from '../../core/entry.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import type { PeerId } from '../../core/peer-id.ts'
import { maxAnnouncementEntries, type Sequence, type SequencedEntry } from '../../core/protocol.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import { covers } from '../../core/version-vector.ts'
import { Delivery } from './deliveries.ts'
import type { Committed, Ledger } from '../ledger.ts'
import type { Peer } from './peers.ts'
import type { Clock, Observer, OutboundLink, Store } from '../ports.ts'
import { Wake } from '../wake.ts'

/** An announcement stays below 1 MiB on the wire: half of it in paths and link targets, the rest for vectors and frames. */
const batchTextBytes = 256 * 1024

/** Records loaded at once when a link comes up. */
const pageRecords = 5_000

/**
 * Our side of the stream to one peer: announces the index in order of sequence from where the peer has recorded it, and takes its
 * acknowledgements. There is no queue: what is not sent yet is what the store has after the cursor, so a path that changes twice is sent once.
 */
export class Outbound {
  readonly #store: Store
  readonly #ledger: Ledger
  readonly #clock: Clock
  readonly #observer: Observer
  readonly #peer: Peer
  readonly #peerId: PeerId
  readonly #link: OutboundLink
  readonly #onReply: () => void
  readonly #delivery: Delivery
  readonly #ended = new AbortController()
  readonly wake = new Wake()
  #cursor: Sequence
  /** What is new since this peer last listened it is told whole, also what it once told us: it may have heard of something else in between. */
  readonly #toldWholeUpTo: Sequence
  /** The same for what was given up here: the last that was told of it is not covered by what comes (rule 23). */
  readonly #toldAgain: Set<RelativePath>

  constructor(parts: {
    store: Store
    ledger: Ledger
    clock: Clock
    observer: Observer
    peer: Peer
    link: OutboundLink
    /** The peer has recorded our index up to here. */
    recordedUpTo: Sequence
    /** Paths that have no version at present. */
    unversioned: Iterable<RelativePath>
    onReply: () => void
  }) {
    this.#store = parts.store
    this.#ledger = parts.ledger
    this.#clock = parts.clock
    this.#observer = parts.observer
    this.#peer = parts.peer
    this.#link = parts.link
    this.#peerId = parts.link.answer.peerId
    this.#onReply = parts.onReply
    this.#cursor = parts.recordedUpTo
    this.#toldWholeUpTo = parts.ledger.lastSequence
    this.#toldAgain = new Set(parts.unversioned)
    this.#delivery = new Delivery({
      toldAfter: parts.recordedUpTo,
      onApplied: (seenMs) => {
        parts.observer.propagated(
          parts.peer.address,
          Math.max(0, parts.clock.nowMs() - seenMs) / 1000,
        )
      },
    })
  }

  get delivery(): Delivery {
    return this.#delivery
  }

  /** Runs until the link is down. */
  async run(): Promise<void> {
    this.#load()
    try {
      await Promise.all([this.#takeReplies(), this.#announce()])
    } finally {
      this.close()
    }
  }

  close(): void {
    this.#ended.abort()
    this.#link.close()
  }

  /** Told of every commit. */
  committed(commits: readonly Committed[]): void {
    const sinceMs = this.#clock.nowMs()
    for (const { before, after, seenMs } of commits) {
      if (before !== null && before.sequence !== after.sequence) {
        this.#delivery.drop(before.sequence)
        if (!covers(after.entry.version, before.entry.version))
          this.#toldAgain.add(after.entry.path)
      }
      if (after.sequence > 0 && before?.sequence !== after.sequence)
        this.#delivery.add(after.sequence, { seenMs, sinceMs })
    }
    this.wake.call()
  }

  /** Told of what left the index without a tombstone: nobody waits for it any more. */
  forgotten(records: readonly IndexRecord[]): void {
    for (const { sequence } of records) this.#delivery.drop(sequence)
  }

  /** Everything is unacknowledged until the peer says otherwise. */
  #load(): void {
    const sinceMs = this.#clock.nowMs()
    let after: Sequence = 0
    for (;;) {
      const page = this.#store.changesAfter(after, pageRecords)
      for (const { sequence } of page) this.#delivery.add(sequence, { seenMs: null, sinceMs })
      const last = page.at(-1)
      if (last === undefined) return
      after = last.sequence
    }
  }

  async #announce(): Promise<void> {
    let isFirst = true
    while (!this.#ended.signal.aborted) {
      if (!isFirst && this.#cursor >= this.#ledger.lastSequence) {
        await this.wake.wait(this.#clock, null, this.#ended.signal)
        continue
      }
      isFirst = false
      await this.#sendNext()
    }
  }

  async #sendNext(): Promise<void> {
    const head = this.#ledger.lastSequence
    const records = cut(this.#store.changesAfter(this.#cursor, maxAnnouncementEntries))
    const last = records.at(-1)
    const isAll = last === undefined || records.length < maxAnnouncementEntries
    const upTo = last === undefined ? head : isAll && last.sequence >= head ? head : last.sequence
    const entries: SequencedEntry[] = []
    for (const { entry, sequence } of records) {
      if (this.#isKnown({ entry, sequence })) this.#delivery.skip(sequence)
      else entries.push({ entry, sequence })
    }
    this.#cursor = upTo
    await this.#link.send({ entries, upTo, head })
    if (entries.length > 0) this.#observer.notified(this.#peer.address, 'sent', entries.length)
    this.#onReply()
  }

  /** Rule 16: the peer announced exactly this to us. */
  #isKnown({ entry, sequence }: SequencedEntry): boolean {
    if (this.#toldAgain.delete(entry.path) || sequence <= this.#toldWholeUpTo) return false
    const known = this.#store.remoteOf(this.#peerId, entry.path)
    return known !== null && sameEntry(known.entry, entry)
  }

  async #takeReplies(): Promise<void> {
    try {
      for await (const reply of this.#link.replies) {
        if (reply.kind === 'settled') this.#peer.settled = reply.sequence
        else if (reply.kind === 'diverged') this.#peer.diverged = reply.paths
        else
          for (const range of reply.ranges) this.#delivery.acknowledge(range, this.#clock.nowMs())
        this.#onReply()
      }
    } finally {
      this.#ended.abort()
    }
  }
}

/** As many as fit one announcement; at least one. */
function cut(records: readonly IndexRecord[]): IndexRecord[] {
  const kept: IndexRecord[] = []
  let textBytes = 0
  for (const record of records) {
    const { entry } = record
    textBytes +=
      entry.path.length +
      (entry.kind === 'symlink' ? entry.target.length : 0) +
      32 * entry.version.size
    if (kept.length > 0 && textBytes > batchTextBytes) break
    kept.push(record)
  }
  return kept
}
