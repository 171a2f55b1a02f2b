import type { PeerId } from '../../core/peer-id.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Peers } from '../links/peers.ts'

/** Who was asked in vain for content that this peer had and lost: when everybody was, nobody has it. */
export class Search {
  readonly #peers: Peers
  readonly #asked = new Map<RelativePath, Set<PeerId>>()

  constructor({ peers }: { peers: Peers }) {
    this.#peers = peers
  }

  /** That peer holds something else. */
  isNotAt(peer: PeerId, path: RelativePath): void {
    const asked = this.#asked.get(path) ?? new Set()
    this.#asked.set(path, asked.add(peer))
  }

  /** Every configured peer is there and was asked. */
  isInVain(path: RelativePath): boolean {
    if (this.#peers.unresolved.length > 0) return false
    const asked = this.#asked.get(path)
    return this.#peers
      .all()
      .every(({ peerId, link }) => link !== null && peerId !== null && asked?.has(peerId) === true)
  }

  end(path: RelativePath): void {
    this.#asked.delete(path)
  }
}
