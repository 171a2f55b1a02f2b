import { errorCode } from '../core/errors.ts'
import { parseEpoch, parsePeerId, type Epoch, type PeerId } from '../core/peer-id.ts'
import type { Recorded } from '../core/protocol.ts'
import type { Dot } from '../core/version-vector.ts'
import type { Chance, Clock, Identity, Store, Transaction } from './ports.ts'

/** Others compare our past with what they recorded; older starts than these are forgotten. */
const keptEpochs = 1000

/** A renewal that is due again within a minute waits (rule 1). */
const renewalIntervalMs = 60_000

/** Who this peer is and which counters it has issued (rules 1 and 2). */
export class Self {
  readonly #store: Store
  readonly #clock: Clock
  readonly #chance: Chance
  #identity: Identity
  #epoch: Epoch
  #lastCounter: number
  /** The highest counter under our id that others told of. */
  #seenCounter = 0
  #lastRenewalMs: number | null = null
  /** The boot of this life, while the damage of a power loss before it is not repaired. */
  #unprovenBootId: string | null = null

  constructor({ store, clock, chance }: { store: Store; clock: Clock; chance: Chance }) {
    this.#store = store
    this.#clock = clock
    this.#chance = chance
    this.#identity = store.identity()
    this.#epoch = parseEpoch(chance.id64())
    this.#lastCounter = store.lastCounter()
  }

  get peerId(): PeerId {
    return this.#identity.peerId
  }

  get epoch(): Epoch {
    return this.#epoch
  }

  get isJoined(): boolean {
    return this.#identity.isJoined
  }

  /** Highest counter issued; goes into the same commit as what was issued. */
  get lastCounter(): number {
    return this.#lastCounter
  }

  /**
   * Begins a new life: a new epoch, durable before anything else is said. Another volume mark than the index recorded means that the disk
   * was cloned or restored: a new peer id. A life that did not end cleanly, and another boot since, are a power loss; where that may have
   * taken commits, what was announced under the old id is not known here, and what is stamped must not cover it: a new id as well.
   */
  begin(now: { volumeMark: string; bootId: string; isDurable: boolean }): {
    isUnclean: boolean
    isPowerLoss: boolean
    isRenewed: boolean
  } {
    const before = this.#identity
    const isAnotherBoot = before.bootId !== null && before.bootId !== now.bootId
    const isUnclean = before.epochs.length > 0 && !before.isClean
    const isPowerLoss = isUnclean && isAnotherBoot
    const isOtherDisk = before.volumeMark !== null && before.volumeMark !== now.volumeMark
    const isRenewed = isOtherDisk || (isPowerLoss && !now.isDurable)
    const epochs = before.epochs.map((life, index) =>
      index === before.epochs.length - 1
        ? { ...life, lastSequence: this.#store.lastSequence() }
        : life,
    )
    this.#save({
      ...before,
      peerId: isRenewed ? parsePeerId(this.#chance.id64()) : before.peerId,
      epochs: [...epochs, { epoch: this.#epoch, lastSequence: 0 }].slice(-keptEpochs),
      volumeMark: now.volumeMark,
      // Until the damage is repaired every start is to find it (rule 23).
      bootId: isPowerLoss ? before.bootId : now.bootId,
      isClean: false,
    })
    this.#unprovenBootId = isPowerLoss ? now.bootId : null
    return { isUnclean, isPowerLoss, isRenewed }
  }

  /** What the power loss before this life had damaged is repaired. */
  proveBoot(): void {
    if (this.#unprovenBootId === null) return
    this.#save({ ...this.#identity, bootId: this.#unprovenBootId })
    this.#unprovenBootId = null
  }

  /** The life ends as it should. Where there is no room to say so, the next one takes it for a crash, which is harmless. */
  end(): void {
    if (this.#unprovenBootId !== null) return
    try {
      this.#save({ ...this.#identity, isClean: true })
    } catch (error) {
      if (errorCode(error) !== 'no-space') throw error
    }
  }

  /** As after losing the index, but for what is known: everything is heard anew (rule 14). */
  rejoin(): void {
    const identity = { ...this.#identity, isJoined: false }
    this.#store.commit({ identity, ...this.#hearAnew() })
    this.#identity = identity
  }

  markJoined(): void {
    this.#save({ ...this.#identity, isJoined: true })
  }

  /** The next write: `max(last issued + 1, highest of ours seen anywhere + 1, now in ms)` (rule 2). */
  nextDot(): Dot {
    const highest = Math.max(this.#lastCounter, this.#seenCounter)
    this.#lastCounter = Math.max(highest + 1, this.#clock.nowMs())
    return { peer: this.peerId, counter: this.#lastCounter }
  }

  /** Somebody told of a counter under our id: none up to it is issued again. True when we did not issue it: somebody is, or was, a copy of us. */
  saw(counter: number): boolean {
    this.#seenCounter = Math.max(this.#seenCounter, counter)
    return counter > this.#lastCounter
  }

  /** Whether what another peer recorded of us can be our own past. */
  recognises(recorded: Recorded): boolean {
    if (recorded.peerId !== this.peerId) return true
    if (recorded.epoch === this.#epoch) return recorded.sequence <= this.#store.lastSequence()
    const life = this.#identity.epochs.find(({ epoch }) => epoch === recorded.epoch)
    return life !== undefined && recorded.sequence <= life.lastSequence
  }

  /** Draws a new peer id and keeps the entries; false when the last renewal is less than a minute ago. */
  renew(): boolean {
    const nowMs = this.#clock.monotonicMs()
    if (this.#lastRenewalMs !== null && nowMs - this.#lastRenewalMs < renewalIntervalMs)
      return false
    this.#lastRenewalMs = nowMs
    this.#save({ ...this.#identity, peerId: parsePeerId(this.#chance.id64()) })
    return true
  }

  /** Under a new id everything is heard anew: under the old one others may have left out what somebody else with that id knew. */
  #save(identity: Identity): void {
    const isRenewed = identity.peerId !== this.#identity.peerId
    this.#store.commit(isRenewed ? { identity, ...this.#hearAnew() } : { identity })
    this.#identity = identity
  }

  #hearAnew(): Pick<Transaction, 'recorded' | 'isRemoteForgotten'> {
    const recorded = this.#store.peers().map((peer) => ({ ...peer, sequence: 0 }))
    return { recorded, isRemoteForgotten: true }
  }
}
