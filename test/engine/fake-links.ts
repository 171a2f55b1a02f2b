import { SyndError } from '../../src/core/errors.ts'
import { parseEpoch } from '../../src/core/peer-id.ts'
import type {
  Announcement,
  Hello,
  HelloAnswer,
  Reply,
  SequencedEntry,
} from '../../src/core/protocol.ts'
import type { InboundLink, OutboundLink } from '../../src/engine/ports.ts'
import { peer } from '../core/build.ts'
import { Channel } from '../support/channel.ts'

/** What the peer with that letter says of itself. */
export function helloOf(letter: string, parts: Partial<Hello> = {}): Hello {
  return {
    protocolVersions: [1],
    peerId: peer(letter),
    epoch: parseEpoch('1'.repeat(16)),
    name: `host ${letter}`,
    mode: 'send-receive',
    joining: false,
    recorded: [],
    source: { kind: 'embedded', port: 2222 },
    ...parts,
  }
}

/** A peer that dialled us, played by a test. */
export class FakeCaller implements InboundLink {
  readonly hello: Hello
  readonly key: string
  #freed = Promise.withResolvers<void>()
  readonly announcements = new Channel<Announcement>()
  readonly replies: Reply[] = []
  isClosed = false
  /** Reads nothing any more: there is no room for a reply until the link is down. */
  isStalled = false
  /** What it was answered when it dialled. */
  answer: HelloAnswer = { ...helloOf('a'), listsCaller: 'yes' }

  constructor(letter: string, hello: Partial<Hello> = {}) {
    this.hello = helloOf(letter, hello)
    this.key = `key of ${letter}`
  }

  /** Says that its index is at `head`, the last of the entries if not given. */
  announce(entries: readonly SequencedEntry[], parts: Partial<Announcement> = {}): void {
    const upTo = parts.upTo ?? entries.at(-1)?.sequence ?? 0
    this.announcements.push({ entries, upTo, head: upTo, ...parts })
  }

  /** Reads again. */
  resume(): void {
    this.isStalled = false
    this.#freed.resolve()
    this.#freed = Promise.withResolvers()
  }

  async reply(reply: Reply): Promise<void> {
    if (this.isClosed) throw new SyndError('unreachable', 'the link is down')
    this.replies.push(reply)
    if (this.isStalled) await this.#freed.promise
  }

  close(): void {
    this.isClosed = true
    this.#freed.resolve()
    this.announcements.end()
  }
}

/** Our stream to the peer with that letter, which takes everything and says nothing; its address is its letter. */
export function fakeOutbound(letter: string, answer: Partial<Hello> = {}): OutboundLink {
  return {
    address: letter,
    host: letter,
    hello: helloOf('a'),
    answer: { ...helloOf(letter, answer), listsCaller: 'yes' },
    key: `key of ${letter}`,
    send: async () => undefined,
    replies: new Channel<Reply>(),
    close: () => undefined,
  }
}
