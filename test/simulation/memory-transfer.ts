import { SyndError, errorCode } from '../../src/core/errors.ts'
import type { RelativePath } from '../../src/core/relative-path.ts'
import type { Pulled, PullRequest, PullTarget, Stage, Transfer } from '../../src/engine/ports.ts'
import type { Random } from '../support/random.ts'
import type { VirtualClock } from '../support/virtual-clock.ts'
import type { Life } from './life.ts'
import type { Station } from './memory-network.ts'
import type { Trace } from './trace.ts'
import type { Wire } from './wire.ts'

/** What a simulated peer serves at this moment: the bytes on its disk, when its index still has a file of that digest there. */
export type Serve = (path: RelativePath, digest: string) => Uint8Array | null

/** The `Transfer` port of one life of one simulated peer: pulls from the disks of the others, in two pieces. */
export class MemoryTransfer implements Transfer {
  readonly #name: string
  readonly #wire: Wire<Station>
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #life: Life
  readonly #trace: Trace
  readonly #serveOf: (name: string) => Serve | null

  constructor(parts: {
    name: string
    wire: Wire<Station>
    clock: VirtualClock
    random: Random
    life: Life
    trace: Trace
    serveOf: (name: string) => Serve | null
  }) {
    this.#name = parts.name
    this.#wire = parts.wire
    this.#clock = parts.clock
    this.#random = parts.random
    this.#life = parts.life
    this.#trace = parts.trace
    this.#serveOf = parts.serveOf
  }

  async *pull(
    target: PullTarget,
    requests: readonly PullRequest[],
    createStage: (request: PullRequest) => Promise<Stage>,
    signal: AbortSignal,
  ): AsyncIterable<Pulled> {
    for (const request of requests) {
      this.#life.effect('before', 'pull', request.path)
      const pulled = await this.#pullOne(target, request, { createStage, signal })
      this.#trace.call(`${this.#name} pull ${target.address}`, request, pulled.kind)
      this.#life.effect('after', 'pull', request.path)
      yield pulled
    }
  }

  async stop(): Promise<void> {
    await Promise.resolve()
  }

  async #pullOne(
    target: PullTarget,
    request: PullRequest,
    given: { createStage: (request: PullRequest) => Promise<Stage>; signal: AbortSignal },
  ): Promise<Pulled> {
    const travel = (): Promise<void> => this.#travel(target, given.signal)
    await travel()
    const read = (): Uint8Array | null =>
      this.#serveOf(target.address)?.(request.path, request.digest) ?? null
    const bytes = read()
    if (bytes === null) return { kind: 'superseded' }
    const stage = await given.createStage(request)
    try {
      const half = bytes.length >> 1
      await stage.write(bytes.subarray(0, half))
      await travel()
      // Somebody may have written into the file meanwhile: it arrives mixed.
      await stage.write((read() ?? bytes).subarray(half, bytes.length))
      return await finish(stage)
    } catch (error) {
      await stage.discard()
      throw error
    }
  }

  async #travel(target: PullTarget, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(this.#wire.delayMs(), signal)
    if (signal.aborted) throw new SyndError('aborted', 'stopped')
    const there = this.#wire.reach(this.#name, target.address)
    if (there === null || !there.isRunning() || this.#random.isLikely(0.01)) {
      throw new SyndError('unreachable', 'nobody answers', { retryable: true })
    }
  }
}

async function finish(stage: Stage): Promise<Pulled> {
  try {
    await stage.finish()
    return { kind: 'pulled', stage }
  } catch (error) {
    if (errorCode(error) !== 'digest-mismatch') throw error
    await stage.discard()
    return { kind: 'failed', code: 'source-mismatch', message: 'other content than announced' }
  }
}
