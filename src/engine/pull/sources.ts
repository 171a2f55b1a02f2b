import { backoffMs } from '../backoff.ts'
import type { SyndError } from '../../core/errors.ts'
import type { Peer } from '../links/peers.ts'
import type { Chance, Clock } from '../ports.ts'

const firstRetryMs = 250
const lastRetryMs = 30_000

/** A stalled transfer costs half a minute: who failed is asked again that soon only if nobody else has the content. */
const firstAvoidedMs = 60_000
const lastAvoidedMs = 600_000

/** From which peers to pull: one whose source failed rests a while, and until it is trusted again the others are asked before it. */
export class Sources {
  readonly #clock: Clock
  readonly #chance: Chance

  constructor({ clock, chance }: { clock: Clock; chance: Chance }) {
    this.#clock = clock
    this.#chance = chance
  }

  /** One of those who have the content, in their order; another at each attempt. Null: all of them rest. */
  choose(holders: readonly Peer[], attempt: number): Peer | null {
    const nowMs = this.#clock.monotonicMs()
    const sound = holders.filter(
      ({ sourceFailure }) => sourceFailure === null || sourceFailure.avoidedUntilMs <= nowMs,
    )
    const askable = sound.length > 0 ? sound : holders.filter((peer) => this.restMs(peer) === 0)
    return askable[attempt % Math.max(1, askable.length)] ?? null
  }

  /** For how long the peer is not to be asked. */
  restMs({ sourceFailure }: Peer): number {
    return Math.max(0, (sourceFailure?.retryAtMs ?? 0) - this.#clock.monotonicMs())
  }

  /** Its source failed. True: for another reason than it failed before. */
  failed(peer: Peer, error: SyndError): boolean {
    const before = peer.sourceFailure
    // Other lanes of the same connection.
    const isSame = before !== null && this.restMs(peer) > 0
    const attempt = before === null ? 0 : isSame ? before.attempt : before.attempt + 1
    const nowMs = this.#clock.monotonicMs()
    const chance = this.#chance
    peer.sourceFailure = {
      message: error.message,
      isTransient: error.retryable,
      attempt,
      retryAtMs: nowMs + backoffMs(attempt, { firstMs: firstRetryMs, lastMs: lastRetryMs, chance }),
      avoidedUntilMs:
        nowMs + backoffMs(attempt, { firstMs: firstAvoidedMs, lastMs: lastAvoidedMs, chance }),
    }
    return before === null || before.message !== error.message
  }

  /** Something was mended, perhaps: whoever rests is asked once more, and if that fails rests as before. */
  wake(peers: readonly Peer[]): void {
    for (const peer of peers)
      if (peer.sourceFailure !== null)
        peer.sourceFailure = { ...peer.sourceFailure, retryAtMs: this.#clock.monotonicMs() }
  }

  /** It sent something. True: it had failed before. */
  worked(peer: Peer): boolean {
    const hadFailed = peer.sourceFailure !== null
    peer.sourceFailure = null
    return hadFailed
  }
}
