import { errorCode, SyndError } from '../../src/core/errors.ts'
import type { Pulled, PullRequest, PullTarget, Stage, Transfer } from '../../src/engine/ports.ts'
import { sha256 } from './parts.ts'
import type { PlayedPeer } from './played-peer.ts'

/** Pulls from played peers, at once. */
export class PlayedTransfer implements Transfer {
  readonly #peers: ReadonlyMap<string, PlayedPeer>
  /** `path from address`, as often as it was asked for. */
  readonly pulls: string[] = []
  /** What pulls from an address fail with. */
  readonly broken = new Map<string, SyndError>()
  /** Pulls that were begun: the paths that each asked for. */
  readonly begun: (readonly string[])[] = []
  /** As when authorized_keys or known_hosts is another. */
  trustChanged: () => void = () => undefined
  /** Paths whose bytes never come. */
  readonly endless = new Set<string>()

  constructor(peers: ReadonlyMap<string, PlayedPeer>) {
    this.#peers = peers
  }

  async *pull(
    { address }: PullTarget,
    requests: readonly PullRequest[],
    createStage: (request: PullRequest) => Promise<Stage>,
    signal: AbortSignal,
  ): AsyncIterable<Pulled> {
    this.begun.push(requests.map(({ path }) => path))
    const failure = this.broken.get(address)
    if (failure !== undefined) throw failure
    for (const request of requests) {
      this.pulls.push(`${request.path} from ${address}`)
      if (this.endless.has(request.path)) await abortOf(signal)
      const content = this.#peers.get(address)?.contentAt(request.path) ?? null
      if (content === null || sha256(content) !== request.digest) yield { kind: 'superseded' }
      else yield await stage(content, await createStage(request))
    }
  }

  onTrustChange(listener: () => void): void {
    this.trustChanged = listener
  }

  async stop(): Promise<void> {}
}

async function abortOf(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  throw new SyndError('aborted', 'the pull was aborted')
}

async function stage(content: string, into: Stage): Promise<Pulled> {
  try {
    await into.write(Buffer.from(content, 'latin1'))
    await into.finish()
    return { kind: 'pulled', stage: into }
  } catch (error) {
    await into.discard()
    if (errorCode(error) !== 'digest-mismatch') throw error
    return { kind: 'failed', code: 'source-mismatch', message: String(error) }
  }
}
