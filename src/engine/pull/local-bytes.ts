import type { Digest } from '../../core/digest.ts'
import { errorCode } from '../../core/errors.ts'
import type { SyncMode } from '../../core/protocol.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Clock, Stage, Store, Volume } from '../ports.ts'
import { Slices } from '../slices.ts'
import { expectationOf, fileOf, type Intent } from './verdict.ts'

/** Copies of what is on this disk already, at once. */
const copyLanes = 8

/** Small files are copied synchronously; nothing else runs for longer than this. */
const sliceMs = 10

/** Where else on this disk to look for the same content. */
const candidates = 3

/** A larger file is not copied before `renameMs` have passed: its delete may follow, and then it is renamed. */
const atOnceBytes = 1024 * 1024
const renameMs = 1_000
const renameLookMs = 50

/** Where the bytes are: staged, or under a name that is to go (`source`), until `settled` is called. */
export type Bytes =
  | { readonly stage: Stage; readonly source: null }
  | { readonly stage: null; readonly source: RelativePath }

interface Wanted {
  readonly intent: Intent
  readonly onMissing: () => void
  readonly sinceMs: number
}

interface LocalBytesParts {
  readonly store: Store
  readonly volume: Volume
  readonly clock: Clock
  /** Only who sends and receives renames what is here. */
  readonly mode: SyncMode
  /** Whether a file that is here is to go, and can be renamed to what is wanted. */
  readonly isMovable: (from: RelativePath, intent: Intent) => boolean
  readonly deliver: (intent: Intent, bytes: Bytes) => void
  /** A lane goes on when it resolves. */
  readonly beforeNext: (signal: AbortSignal) => Promise<void>
  readonly track: (lane: Promise<void>) => void
}

/** Finds the bytes of decided files on this disk: a rename or copy on the other side moves none over the wire (rule 15). */
export class LocalBytes {
  readonly #parts: LocalBytesParts
  readonly #queue: Wanted[] = []
  /** Large files that are here under other names, and may have been renamed; the first has waited longest. */
  readonly #perhapsRenamed: Wanted[] = []
  /** Digests that are about to be taken from this disk, each with the paths that want them, and what is to be done about these. */
  readonly #wanters = new Map<Digest, Map<RelativePath, Intent>>()
  #running = 0
  #isAwaitingDeletes = false

  constructor(parts: LocalBytesParts) {
    this.#parts = parts
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#queue.length + this.#perhapsRenamed.length
  }

  /** For which path a file with that content is needed where it is, for a moment; null: for none. */
  wanterOf(digest: Digest): RelativePath | null {
    for (const path of this.#wanters.get(digest)?.keys() ?? []) return path
    return null
  }

  /** What was delivered has its name, or does not get it from there. */
  settled(intent: Intent): void {
    const { digest } = fileOf(intent)
    const wanters = this.#wanters.get(digest)
    // It may be wanted anew by now.
    if (wanters?.get(intent.path) === intent) wanters.delete(intent.path)
    if (wanters?.size === 0) this.#wanters.delete(digest)
  }

  /** Delivers the bytes, or calls `onMissing` when they are not here. */
  look(intent: Intent, signal: AbortSignal, onMissing: () => void): void {
    const { digest } = fileOf(intent)
    const wanters = this.#wanters.get(digest) ?? new Map<RelativePath, Intent>()
    this.#wanters.set(digest, wanters.set(intent.path, intent))
    const wanted = { intent, onMissing, sinceMs: this.#parts.clock.monotonicMs() }
    if (!this.#mayBeRenamed(intent)) return this.#enqueue(wanted, signal)
    this.#perhapsRenamed.push(wanted)
    if (!this.#isAwaitingDeletes) this.#parts.track(this.#awaitDeletes(signal))
  }

  #enqueue(wanted: Wanted, signal: AbortSignal): void {
    this.#queue.push(wanted)
    while (this.#running < copyLanes && this.#queue.length > this.#running) {
      this.#running++
      this.#parts.track(this.#lane(signal))
    }
  }

  async #lane(signal: AbortSignal): Promise<void> {
    const slices = new Slices(this.#parts.clock, sliceMs)
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        if (!signal.aborted) await this.#take(next)
        await slices.breathe()
        await this.#parts.beforeNext(signal)
      }
    } finally {
      this.#running--
    }
  }

  async #take({ intent, onMissing }: Wanted): Promise<void> {
    const bytes = await this.#find(intent)
    if (bytes === null || bytes.source === null) this.settled(intent)
    if (bytes === null) onMissing()
    else this.#parts.deliver(intent, bytes)
  }

  async #find(intent: Intent): Promise<Bytes | null> {
    const { store, volume, isMovable } = this.#parts
    const expectation = expectationOf(intent)
    const { digest, sizeBytes } = expectation
    try {
      if (sizeBytes === 0) {
        const stage = await volume.createStage(expectation)
        await stage.finish()
        return { stage, source: null }
      }
      const isWantedOnce = this.#wanters.get(digest)?.size === 1
      for (const path of store.findByDigest(digest, candidates)) {
        if (isWantedOnce && isMovable(path, intent)) return { stage: null, source: path }
        const stage = await volume.stageFromLocal(path, expectation)
        if (stage !== null) return { stage, source: null }
      }
    } catch (error) {
      // The source gets its try; should the disk be at fault, that will say so.
      if (errorCode(error) === null) throw error
    }
    return null
  }

  #mayBeRenamed(intent: Intent): boolean {
    const { store, mode } = this.#parts
    const { digest, sizeBytes } = fileOf(intent)
    if (mode !== 'send-receive' || sizeBytes <= atOnceBytes) return false
    return store.findByDigest(digest, 1).length > 0
  }

  /** Lets large files go on when they can be renamed, or have waited long enough for that. */
  async #awaitDeletes(signal: AbortSignal): Promise<void> {
    const waiting = this.#perhapsRenamed
    this.#isAwaitingDeletes = true
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (signal.aborted || this.#isDecided(first)) {
        waiting.shift()
        this.#enqueue(first, signal)
      } else await this.#parts.clock.sleep(renameLookMs, signal)
    }
    this.#isAwaitingDeletes = false
  }

  #isDecided({ intent, sinceMs }: Wanted): boolean {
    const { store, clock, isMovable } = this.#parts
    if (clock.monotonicMs() >= sinceMs + renameMs) return true
    const here = store.findByDigest(fileOf(intent).digest, candidates)
    return here.some((path) => isMovable(path, intent))
  }
}
