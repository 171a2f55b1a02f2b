import { SyndError } from '../../core/errors.ts'
import type { PeerId } from '../../core/peer-id.ts'
import type { Ledger } from '../ledger.ts'
import type { State } from '../state.ts'
import type { Inbound } from './inbound.ts'
import type { Caller, Peers } from './peers.ts'

/**
 * Tells everybody who dialled us what became of their announcements, and when we have nothing unfinished (rules 17 and 18). Whoever takes its
 * time to read is told the rest when it has, and keeps no other waiting.
 */
export class Telling {
  readonly #peers: Peers
  readonly #inbound: Inbound
  readonly #state: State
  readonly #ledger: Ledger
  readonly #onTold: () => void
  /** Who is being told, and whether there was more to tell meanwhile. */
  readonly #busy = new Map<Caller, { hasMore: boolean }>()
  readonly #running = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | null = null

  /** `onTold`: there is more to tell to somebody who was busy. */
  constructor(parts: {
    peers: Peers
    inbound: Inbound
    state: State
    ledger: Ledger
    onTold: () => void
  }) {
    this.#peers = parts.peers
    this.#inbound = parts.inbound
    this.#state = parts.state
    this.#ledger = parts.ledger
    this.#onTold = parts.onTold
  }

  /** Throws what an earlier telling failed with, if that was a bug. */
  tell(): void {
    if (this.#failure !== null) throw this.#failure.error
    for (const [peerId, caller] of this.#peers.callers) {
      const busy = this.#busy.get(caller)
      if (busy !== undefined) busy.hasMore = true
      else this.#track(this.#tellOne(peerId, caller))
    }
  }

  /** Resolves when nobody is being told any more; to be called when the links are closed. */
  async drained(): Promise<void> {
    await Promise.all(this.#running)
  }

  #track(telling: Promise<void>): void {
    const tracked = telling
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#running.delete(tracked))
    this.#running.add(tracked)
  }

  async #tellOne(peerId: PeerId, caller: Caller): Promise<void> {
    const busy = { hasMore: false }
    this.#busy.set(caller, busy)
    try {
      await this.#inbound.acknowledge(caller.link, this.#peers.receipts(peerId))
      const { diverged } = this.#state
      if (caller.toldDiverged !== diverged) {
        caller.toldDiverged = diverged
        await caller.link.reply({ kind: 'diverged', paths: diverged })
      }
      const settled = this.#state.isSettled ? this.#ledger.lastSequence : null
      if (settled === null || caller.toldSettled === settled) return
      caller.toldSettled = settled
      await caller.link.reply({ kind: 'settled', sequence: settled })
    } catch (error) {
      if (!(error instanceof SyndError)) throw error
      // The link is going down; its loop ends by itself and everything is told anew on the next.
      caller.link.close()
    } finally {
      this.#busy.delete(caller)
      if (busy.hasMore) this.#onTold()
    }
  }

  #fail(error: unknown): void {
    this.#failure = { error }
    this.#onTold()
  }
}
