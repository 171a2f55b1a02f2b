import type { Digest } from '../../core/digest.ts'
import { SyndError } from '../../core/errors.ts'
import type { ProblemCode } from '../../core/problem.ts'
import type { SyncMode } from '../../core/protocol.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import { LocalBytes, type Bytes } from './local-bytes.ts'
import { expectationOf, fileOf, type Intent } from './verdict.ts'
import type { Inbox } from './inbox.ts'
import type { Peer, Peers } from '../links/peers.ts'
import type { Clock, Observer, PullRequest, Stage, Store, Transfer, Volume } from '../ports.ts'
import type { ProblemList } from '../problem-list.ts'
import type { Sources } from './sources.ts'

/** Larger files have a lane of their own, so that they never hold up small ones. */
const largeSizeBytes = 1024 * 1024

/** Small files travel in batches, over a few channels at once. */
const smallLanes = 3
const batchFiles = 64
const batchBytes = 8 * 1024 * 1024
const largeLanes = 2

/** No further batch is begun while so many files wait to be applied. */
const maxBacklog = 1024

/** How long a lane waits for the backlog to shrink before it looks again. */
const backlogMs = 20

export interface FetcherParts {
  readonly store: Store
  readonly volume: Volume
  readonly transfer: Transfer
  readonly clock: Clock
  readonly mode: SyncMode
  readonly observer: Observer
  readonly inbox: Inbox
  readonly peers: Peers
  readonly sources: Sources
  readonly problems: ProblemList
  readonly onFailed: (path: RelativePath, code: ProblemCode) => void
  /** Whether a file that is here is to go, and can be renamed to what is wanted. */
  readonly isMovable: (from: RelativePath, intent: Intent) => boolean
  readonly deliver: (intent: Intent, bytes: Bytes) => void
  readonly onSourceFailed: (peer: Peer, error: SyndError, intents: readonly Intent[]) => void
  readonly onSourceWorked: (peer: Peer) => void
  /** The peer has other content by now. */
  readonly onSuperseded: (peer: Peer, intent: Intent) => void
  readonly backlog: () => number
}

interface Lanes {
  /** As it was last asked of: an address that left the configuration and came back is another. */
  peer: Peer
  readonly small: Intent[]
  readonly large: Intent[]
  smallRunning: number
  largeRunning: number
}

/** Gets the bytes of decided files into stages: from another file of this volume where the digest is there, else from a peer, in lanes. */
export class Fetcher {
  readonly #parts: FetcherParts
  readonly #lanes = new Map<string, Lanes>()
  readonly #here: LocalBytes
  readonly #running = new Set<Promise<void>>()
  #fail: (error: unknown) => void = () => undefined

  /** Rejects when a lane failed in a way that is nobody's fault outside: a bug. Never resolves. */
  readonly failed = new Promise<never>((_, reject) => {
    this.#fail = reject
  })

  constructor(parts: FetcherParts) {
    this.#parts = parts
    this.#here = new LocalBytes({
      ...parts,
      beforeNext: (signal) => this.#backlog(signal),
      track: (lane) => this.track(lane),
    })
  }

  get inFlight(): number {
    return this.#running.size + this.#here.waiting
  }

  /** For which path a file with that content is needed where it is, for a moment (rule 15); null: for none. */
  wanterOf(digest: Digest): RelativePath | null {
    return this.#here.wanterOf(digest)
  }

  /** What was delivered with a `source` has its name, or does not get it from there. */
  settled(intent: Intent): void {
    this.#here.settled(intent)
  }

  /** `holders` have the content; the first is asked first. */
  fetch(intent: Intent, holders: readonly Peer[], signal: AbortSignal): void {
    this.#here.look(intent, signal, () => this.#ask(intent, holders, signal))
  }

  /** Resolves when no lane runs any more. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #ask(intent: Intent, holders: readonly Peer[], signal: AbortSignal): void {
    const { inbox, sources } = this.#parts
    if (holders.length === 0) return inbox.park(intent.path, null)
    const peer = sources.choose(holders, inbox.attemptsOf(intent.path))
    if (peer !== null) return this.#enqueue(intent, peer, signal)
    inbox.postpone(intent.path, Math.min(...holders.map((holder) => sources.restMs(holder))))
  }

  #enqueue(intent: Intent, peer: Peer, signal: AbortSignal): void {
    const { address } = peer
    const lanes = this.#lanes.get(address) ?? {
      peer,
      small: [],
      large: [],
      smallRunning: 0,
      largeRunning: 0,
    }
    this.#lanes.set(address, lanes)
    lanes.peer = peer
    if (fileOf(intent).sizeBytes > largeSizeBytes) lanes.large.push(intent)
    else lanes.small.push(intent)
    this.#pump(lanes, signal)
  }

  #pump(lanes: Lanes, signal: AbortSignal): void {
    while (
      lanes.smallRunning < smallLanes &&
      lanes.small.length > lanes.smallRunning * batchFiles
    ) {
      lanes.smallRunning++
      this.track(this.#smallLane(lanes, signal))
    }
    while (lanes.largeRunning < largeLanes && lanes.large.length > 0) {
      const intent = lanes.large.shift()
      if (intent === undefined) return
      lanes.largeRunning++
      this.track(this.#largeLane(lanes, intent, signal))
    }
  }

  async #smallLane(lanes: Lanes, signal: AbortSignal): Promise<void> {
    try {
      // What is decided in the same turn travels in one batch.
      await this.#parts.clock.yield()
      for (let batch = takeBatch(lanes.small); batch.length > 0; batch = takeBatch(lanes.small)) {
        await this.#backlog(signal)
        await this.#pull(lanes.peer, batch, signal)
      }
    } finally {
      lanes.smallRunning--
    }
  }

  /** Until what is staged already does not wait too long. */
  async #backlog(signal: AbortSignal): Promise<void> {
    while (this.#parts.backlog() > maxBacklog && !signal.aborted)
      await this.#parts.clock.sleep(backlogMs, signal)
  }

  async #largeLane(lanes: Lanes, first: Intent, signal: AbortSignal): Promise<void> {
    try {
      for (let next: Intent | undefined = first; next !== undefined; next = lanes.large.shift()) {
        await this.#pull(lanes.peer, [next], signal)
      }
    } finally {
      lanes.largeRunning--
    }
  }

  async #pull(peer: Peer, intents: readonly Intent[], signal: AbortSignal): Promise<void> {
    const { transfer, volume, peers, inbox, sources } = this.#parts
    const { onSourceFailed, onSourceWorked, onSuperseded } = this.#parts
    const target = peers.pullTarget(peer)
    if (signal.aborted) return
    if (target === null) {
      for (const { path } of intents) inbox.park(path, null)
      return
    }
    // It failed while these waited for their turn: others may have them.
    if (sources.restMs(peer) > 0) {
      for (const { path } of intents) inbox.postpone(path, 0)
      return
    }
    const left = [...intents]
    const wanted = new Map(intents.map((intent) => [requestOf(intent), intent]))
    const createStage = (request: PullRequest): Promise<Stage> => {
      const intent = wanted.get(request)
      return volume.createStage(intent === undefined ? request : expectationOf(intent))
    }
    try {
      const pulls = transfer.pull(target, [...wanted.keys()], createStage, signal)
      for await (const pulled of pulls) {
        const intent = left.shift()
        if (intent === undefined) throw new SyndError('protocol', 'more results than requests')
        onSourceWorked(peer)
        if (pulled.kind === 'pulled') this.#pulled(peer, intent, pulled.stage)
        else if (pulled.kind === 'superseded') onSuperseded(peer, intent)
        else this.#failed(peer, intent, pulled)
      }
      if (left.length > 0)
        throw new SyndError('protocol', `${left.length} requests without a result`)
    } catch (error) {
      if (!(error instanceof SyndError)) throw error
      if (error.code === 'no-space')
        for (const intent of left)
          this.#failed(peer, intent, { code: 'disk-full', message: error.message })
      else if (!signal.aborted) onSourceFailed(peer, error, left)
    }
  }

  #pulled(peer: Peer, intent: Intent, stage: Stage): void {
    this.#parts.observer.pulled(peer.address, fileOf(intent).sizeBytes)
    this.#parts.deliver(intent, { stage, source: null })
  }

  #failed(
    peer: Peer,
    { path }: Intent,
    { code, message }: { code: ProblemCode; message: string },
  ): void {
    const { problems, clock, observer, onFailed, inbox } = this.#parts
    problems.set({ code, path, message }, clock.nowMs())
    observer.transferFailed(peer.address, code)
    onFailed(path, code)
    inbox.retry(path)
  }

  /** What must end before `drained` does; its failure is a bug. */
  track(lane: Promise<void>): void {
    const tracked = lane.catch(this.#fail).finally(() => this.#running.delete(tracked))
    this.#running.add(tracked)
  }
}

function takeBatch(queue: Intent[]): Intent[] {
  const batch: Intent[] = []
  let sizeBytes = 0
  while (queue.length > 0 && batch.length < batchFiles && sizeBytes < batchBytes) {
    const intent = queue.shift()
    if (intent === undefined) break
    sizeBytes += fileOf(intent).sizeBytes
    batch.push(intent)
  }
  return batch
}

function requestOf(intent: Intent): PullRequest {
  const { digest, sizeBytes } = fileOf(intent)
  return { path: intent.path, digest, sizeBytes }
}
