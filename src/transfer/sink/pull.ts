import { errorCode, SyndError } from '../../core/errors.ts'
import type { Pulled, PullRequest, Stage } from '../../engine/ports.ts'
import type { PullCommand } from '../command.ts'
import type { Reception } from './arrivals.ts'
import type { SinkConnection } from './connection.ts'
import { receive, type Receiving } from './receive.ts'
import { createStagingLine, type StagingLine } from './staging-line.ts'

export interface PullOptions {
  readonly requests: readonly PullRequest[]
  readonly plan: (requests: readonly PullRequest[]) => readonly PullCommand<PullRequest>[]
  readonly createStage: (request: PullRequest) => Promise<Stage>
  readonly connect: () => Promise<SinkConnection>
  readonly isBehindShell: boolean
  /** In words for the operator: the source sent `text` and no files. */
  readonly explain: (text: string) => string
  readonly stallMs: number
  /** The source lied; `text` is cleaned. */
  readonly refused: (reason: 'record' | 'content', text: string) => void
}

/** A command, and the place of its first request among all. */
interface Batch {
  readonly first: number
  readonly command: PullCommand<PullRequest>
}

/** A second command is under way while the first is answered, so that no round trip is lost between them. */
const lanes = 2
/** A source that breaks off so often in one pull is given up. */
const maxBroken = 8

/** Of the time without progress: the last bytes may have come shortly after the last progress. */
const silentShare = 0.9

/** One pull: its commands, their results in order, and whatever was staged and not taken. */
export class Pull {
  readonly #options: PullOptions
  readonly #line: StagingLine
  readonly #results: readonly PromiseWithResolvers<Pulled>[]
  readonly #given = new Map<number, Promise<Pulled>>()
  readonly #queue: Batch[] = []
  readonly #receivings = new Set<Receiving>()
  readonly #stopping = new AbortController()
  #running: Promise<unknown> = Promise.resolve()
  #failure: Error | null = null
  #isAborted = false
  #taken = 0
  #broken = 0

  constructor(options: PullOptions) {
    this.#options = options
    this.#results = options.requests.map(() => {
      const result = Promise.withResolvers<Pulled>()
      // It is taken in its turn, or never.
      result.promise.catch(() => undefined)
      return result
    })
    this.#line = createStagingLine({
      createStage: options.createStage,
      mismatched: (text) => options.refused('content', text),
      onRoom: () => {
        for (const receiving of this.#receivings) receiving.resume()
      },
    })
  }

  start(): void {
    this.#enqueue(0, this.#options.requests)
    const count = Math.min(lanes, this.#queue.length)
    this.#running = Promise.all(Array.from({ length: count }, () => this.#runLane()))
  }

  /** The result of one request, in order; a stage in it is the caller's from then on. Throws what the pull failed with. */
  async take(index: number): Promise<Pulled> {
    const result = await this.#results[index]?.promise
    if (result === undefined) throw new RangeError(`no request ${index}`)
    if (this.#isAborted && this.#failure !== null) throw this.#failure
    this.#taken = index + 1
    return result
  }

  /** What was not taken yet is not to be had any more. */
  abort(): void {
    this.#isAborted = true
    this.#fail(new SyndError('aborted', 'the pull was aborted'))
  }

  /** Ends it; afterwards no stage is left that was not taken. */
  async stop(): Promise<void> {
    this.abort()
    await this.#running
    for (const [index, given] of this.#given) {
      const result = await given.catch(() => null)
      if (index >= this.#taken && result?.kind === 'pulled') await result.stage.discard()
    }
  }

  #enqueue(first: number, requests: readonly PullRequest[]): void {
    let at = first
    for (const command of this.#options.plan(requests)) {
      this.#queue.push({ first: at, command })
      at += command.requests.length
    }
  }

  /** Of what is complete the results stand, unless it was aborted. */
  #fail(error: Error): void {
    this.#failure ??= error
    this.#stopping.abort(this.#failure)
    for (const [index, result] of this.#results.entries())
      if (this.#isAborted || !this.#given.has(index)) result.reject(this.#failure)
  }

  async #runLane(): Promise<void> {
    try {
      for (let batch = this.#queue.shift(); batch !== undefined; batch = this.#queue.shift()) {
        if (this.#failure !== null) return
        await this.#ask(batch)
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #ask({ first, command }: Batch): Promise<void> {
    const { signal } = this.#stopping
    const { stallMs, isBehindShell } = this.#options
    const connection = await orAborted(this.#options.connect(), signal)
    const channel = await connection.exec(command.command, signal)
    const receiving = receive(channel, {
      requests: command.requests,
      line: this.#line,
      isBehindShell,
      give: (index, result) => this.#give(first + index, result),
      stallMs,
      signal,
      connectionFailure: () => connection.failure,
    })
    this.#receivings.add(receiving)
    try {
      const reception = await receiving.ended
      this.#askRest(first, command.requests, reception)
    } catch (error) {
      // Not this command, the other side is gone: whoever pulls next shall not wait as long.
      const isGone = errorCode(error) === 'stalled' && connection.silentMs >= silentShare * stallMs
      if (isGone && error instanceof SyndError) connection.stop(error)
      throw error
    } finally {
      this.#receivings.delete(receiving)
      connection.release(channel)
    }
  }

  #askRest(first: number, requests: readonly PullRequest[], { settled, broken }: Reception): void {
    if (broken === null) return
    if (broken.isLie) this.#options.refused('record', broken.text)
    if (settled === 0) throw new SyndError('protocol', this.#options.explain(broken.text))
    this.#broken++
    if (settled === requests.length) return
    if (this.#broken > maxBroken)
      throw new SyndError('protocol', `the source breaks off again and again: ${broken.text}`)
    this.#enqueue(first + settled, requests.slice(settled))
  }

  #give(index: number, result: Promise<Pulled>): void {
    this.#given.set(index, result)
    this.#results[index]?.resolve(result)
  }
}

async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
