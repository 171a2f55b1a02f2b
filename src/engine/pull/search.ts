import type { PeerId } from '../../core/peer-id.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Peers } from '../links/peers.ts'

/** A peer that has just been told of the content may be about to get it: it is asked this often. */
const askedAtLeast = 2

/** Who was asked in vain for content that this peer had and lost: when everybody was, nobody has it. */
export class Search {
  readonly #peers: Peers
  readonly #asked = new Map<RelativePath, Map<PeerId, number>>()

  constructor({ peers }: { peers: Peers }) {
    this.#peers = peers
  }

  /** That peer holds something else. */
  isNotAt(peer: PeerId, path: RelativePath): void {
    const asked = this.#asked.get(path) ?? new Map<PeerId, number>()
    this.#asked.set(path, asked.set(peer, (asked.get(peer) ?? 0) + 1))
  }

  /** Every configured peer is there and was asked. */
  isInVain(path: RelativePath): boolean {
    if (this.#peers.unresolved.length > 0) return false
    const asked = this.#asked.get(path)
    return this.#peers.all().every(({ peerId, link }) => {
      const times = peerId === null ? 0 : (asked?.get(peerId) ?? 0)
      return link !== null && times >= askedAtLeast
    })
  }

  end(path: RelativePath): void {
    this.#asked.delete(path)
  }
}
