import { SyndError, errorCode } from '../../src/core/errors.ts'
import type { RelativePath } from '../../src/core/relative-path.ts'
import type { Pulled, PullRequest, PullTarget, Stage, Transfer } from '../../src/engine/ports.ts'
import type { Random } from '../support/random.ts'
import type { VirtualClock } from '../support/virtual-clock.ts'
import type { Wire } from './memory-network.ts'

/** What a simulated peer serves at this moment: the bytes on its disk, when its index still has a file of that digest there. */
export type Serve = (path: RelativePath, digest: string) => Uint8Array | null

/** The `Transfer` port of one simulated peer: pulls from the disks of the others, a piece at a time. */
export class MemoryTransfer implements Transfer {
  readonly #name: string
  readonly #wire: Wire
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #serveOf: (name: string) => Serve | null

  constructor(parts: {
    name: string
    wire: Wire
    clock: VirtualClock
    random: Random
    serveOf: (name: string) => Serve | null
  }) {
    this.#name = parts.name
    this.#wire = parts.wire
    this.#clock = parts.clock
    this.#random = parts.random
    this.#serveOf = parts.serveOf
  }

  async *pull(
    target: PullTarget,
    requests: readonly PullRequest[],
    createStage: (request: PullRequest) => Promise<Stage>,
    signal: AbortSignal,
  ): AsyncIterable<Pulled> {
    for (const request of requests) {
      await this.#travel(target, signal)
      const bytes = this.#serveOf(target.address)?.(request.path, request.digest) ?? null
      if (bytes === null) {
        yield { kind: 'superseded' }
        continue
      }
      const stage = await createStage(request)
      try {
        yield await this.#receive(bytes, stage, () => this.#travel(target, signal))
      } catch (error) {
        await stage.discard()
        throw error
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.resolve()
  }

  async #receive(bytes: Uint8Array, stage: Stage, travel: () => Promise<void>): Promise<Pulled> {
    const half = bytes.length >> 1
    await stage.write(bytes.subarray(0, half))
    await travel()
    await stage.write(bytes.subarray(half))
    try {
      await stage.finish()
      return { kind: 'pulled', stage }
    } catch (error) {
      if (errorCode(error) !== 'digest-mismatch') throw error
      await stage.discard()
      return { kind: 'failed', code: 'source-mismatch', message: 'other content than announced' }
    }
  }

  async #travel(target: PullTarget, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(this.#random.fraction() * this.#wire.maxDelayMs, signal)
    if (signal.aborted) throw new SyndError('aborted', 'stopped')
    if (this.#wire.reach(this.#name, target.address) === null) {
      throw new SyndError('unreachable', 'nobody answers', { retryable: true })
    }
  }
}
