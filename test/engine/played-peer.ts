import type { Entry } from '../../src/core/entry.ts'
import type { Announcement, Hello, Outcome, Reply, Sequence } from '../../src/core/protocol.ts'
import type { RelativePath } from '../../src/core/relative-path.ts'
import type { NetworkHandler, OutboundLink } from '../../src/engine/ports.ts'
import { file } from '../core/build.ts'
import { Channel } from '../support/channel.ts'
import { FakeCaller, fakeOutbound } from './fake-links.ts'
import { path, sha256 } from './parts.ts'

/** A file as a peer announces it that holds it; `version` as in the builders, its first component the writer. */
export function toldFile(name: string, content: string, version = 'b1'): [Entry, string] {
  const by = version.split(' ')[0] ?? ''
  const entry = file({ path: name, version, by })
  return [{ ...entry, digest: sha256(content), sizeBytes: content.length }, content]
}

/** A peer of an engine, played by a test; its address is its letter. */
export class PlayedPeer {
  readonly letter: string
  readonly #handler: NetworkHandler
  readonly #contents = new Map<RelativePath, string>()
  readonly #hello: Partial<Hello>
  #caller: FakeCaller | null = null
  #replies: Channel<Reply> | null = null
  #sequence: Sequence = 0
  /** Everything that the engine announced. */
  readonly heard: Announcement[] = []

  constructor(parts: { letter: string; handler: NetworkHandler; hello: Partial<Hello> }) {
    this.letter = parts.letter
    this.#handler = parts.handler
    this.#hello = parts.hello
  }

  /** Both streams, ours to the engine and the engine's to us. */
  connect(): void {
    this.dialIn()
    this.answer()
  }

  /** We dial the engine. */
  dialIn(): void {
    const caller = new FakeCaller(this.letter, this.#hello)
    this.#caller = caller
    caller.answer = this.#handler.answerHello(caller.hello, { key: caller.key })
    void this.#handler.runInbound(caller)
    caller.announce([], { upTo: this.#sequence })
  }

  /** The engine dials us. */
  answer(): void {
    const replies = new Channel<Reply>()
    this.#replies = replies
    const link: OutboundLink = {
      ...fakeOutbound(this.letter, this.#hello),
      hello: this.#handler.hello(),
      send: async (announcement) => void this.heard.push(announcement),
      replies,
      close: () => replies.end(),
    }
    void this.#handler.runOutbound(link)
  }

  hangUp(): void {
    this.#replies?.end()
  }

  /** The stream on which we announce is down. */
  goSilent(): void {
    this.#caller?.close()
  }

  /** Reads nothing any more of what it is told on the stream on which it announces. */
  stall(): void {
    if (this.#caller !== null) this.#caller.isStalled = true
  }

  resume(): void {
    this.#caller?.resume()
  }

  /** Announces the entries as its next sequences, with contents where they are files. */
  announce(...told: readonly (Entry | readonly [Entry, string])[]): void {
    const entries = told.map((one) => {
      const [entry, content] = 'path' in one ? [one, null] : one
      if (content !== null) this.#contents.set(entry.path, content)
      return { sequence: ++this.#sequence, entry }
    })
    this.#caller?.announce(entries, { upTo: this.#sequence })
  }

  /** Says that there is something that it has not told yet. */
  announceMore(): void {
    this.#caller?.announce([], { upTo: this.#sequence, head: this.#sequence + 1 })
  }

  /** Says what became of everything that was announced to it. */
  acknowledge(outcome: Outcome = { kind: 'applied' }): void {
    const upTo = this.heard.at(-1)?.upTo ?? 0
    const ranges = [{ from: 1, to: upTo, outcome }]
    this.#replies?.push({ kind: 'acknowledgement', recordedUpTo: upTo, ranges })
  }

  /** Says that nothing is unfinished there, as of its last sequence. */
  settle(sequence = this.#sequence): void {
    this.#replies?.push({ kind: 'settled', sequence })
  }

  /** Says how many paths its mode keeps apart. */
  diverge(paths: number): void {
    this.#replies?.push({ kind: 'diverged', paths })
  }

  /** The content that it serves at a path. */
  has(at: string, content: string): void {
    this.#contents.set(path(at), content)
  }

  /** It has none of its contents any more. */
  forget(): void {
    this.#contents.clear()
  }

  contentAt(at: string): string | null {
    return this.#contents.get(path(at)) ?? null
  }

  /** The highest of its sequences that it was told to be applied. */
  get appliedUpTo(): Sequence {
    const ranges = this.replies.flatMap((reply) =>
      reply.kind === 'acknowledgement' ? reply.ranges : [],
    )
    const applied = ranges.filter(({ outcome }) => outcome.kind === 'applied')
    return Math.max(0, ...applied.map(({ to }) => to))
  }

  /** What it was told on the stream on which it announces. */
  get replies(): readonly Reply[] {
    return this.#caller?.replies ?? []
  }
}
