import { SyndError } from '../../core/errors.ts'
import type { Ledger } from '../ledger.ts'
import type { State } from '../state.ts'
import type { Inbound } from './inbound.ts'
import type { Peers } from './peers.ts'

/** Tells everybody who dialled us what became of their announcements, and when we have nothing unfinished (rules 17 and 18). */
export class Telling {
  readonly #peers: Peers
  readonly #inbound: Inbound
  readonly #state: State
  readonly #ledger: Ledger

  constructor(parts: { peers: Peers; inbound: Inbound; state: State; ledger: Ledger }) {
    this.#peers = parts.peers
    this.#inbound = parts.inbound
    this.#state = parts.state
    this.#ledger = parts.ledger
  }

  async tell(): Promise<void> {
    for (const [peerId, caller] of this.#peers.callers) {
      try {
        await this.#inbound.acknowledge(caller.link, this.#peers.receipts(peerId))
        const settled = this.#state.isSettled ? this.#ledger.lastSequence : null
        if (settled === null || caller.toldSettled === settled) continue
        caller.toldSettled = settled
        await caller.link.reply({ kind: 'settled', sequence: settled })
      } catch (error) {
        if (!(error instanceof SyndError)) throw error
        // The link is going down; its loop ends by itself and everything is told anew on the next.
        caller.link.close()
      }
    }
  }
}
