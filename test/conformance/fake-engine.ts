import { errorCode } from '../../src/core/errors.ts'
import type { Announcement, Hello, HelloAnswer, Reply } from '../../src/core/protocol.ts'
import type { InboundLink, NetworkHandler, OutboundLink } from '../../src/engine/ports.ts'
import { sampleHello } from '../rpc/samples.ts'

/** Takes note of what the network tells, and reads what comes. */
export class FakeEngine implements NetworkHandler {
  readonly outbound: OutboundLink[] = []
  readonly inbound: InboundLink[] = []
  readonly ended: (OutboundLink | InboundLink)[] = []
  readonly received: Announcement[] = []
  readonly replies: Reply[] = []
  readonly callers: { hello: Hello; key: string }[] = []
  readonly failures: { address: string; code: string | null; message: string }[] = []
  readonly addresses: { addresses: readonly string[]; unresolved: readonly string[] }[] = []
  readonly #name: string
  readonly #leaving = new Map<OutboundLink, () => void>()
  readonly #failing: ((error: Error) => void)[] = []
  readonly #taking = new Map<InboundLink, () => void>()
  refusal: Error | null = null
  joining = false
  takes: 'everything' | 'nothing' = 'everything'

  constructor(name: string) {
    this.#name = name
  }

  hello(): Hello {
    return sampleHello({ name: this.#name, joining: this.joining })
  }

  answerOf(): HelloAnswer {
    return { ...this.hello(), listsCaller: 'yes' }
  }

  answerHello(hello: Hello, caller: { readonly key: string }): HelloAnswer {
    if (this.refusal !== null) throw this.refusal
    this.callers.push({ hello, key: caller.key })
    return this.answerOf()
  }

  /** Makes `runOutbound` return. */
  leave(link: OutboundLink): void {
    this.#leaving.get(link)?.()
  }

  /** Makes every `runInbound` that runs reject. */
  fail(error: Error): void {
    for (const fail of this.#failing.splice(0)) fail(error)
  }

  /** Begins to read what was left lying. */
  take(link: InboundLink): void {
    this.#taking.get(link)?.()
  }

  async runOutbound(link: OutboundLink): Promise<void> {
    this.outbound.push(link)
    const left = new Promise<void>((resolve) => this.#leaving.set(link, resolve))
    const read = async () => {
      for await (const reply of link.replies) this.replies.push(reply)
      this.ended.push(link)
    }
    await Promise.race([left, read()])
  }

  async runInbound(link: InboundLink): Promise<void> {
    this.inbound.push(link)
    if (this.takes === 'nothing') {
      await new Promise<void>((resolve) => this.#taking.set(link, resolve))
    }
    const failed = new Promise<never>((_, reject) => this.#failing.push(reject))
    const read = async () => {
      for await (const announcement of link.announcements) this.received.push(announcement)
    }
    await Promise.race([read(), failed])
    this.ended.push(link)
  }

  addressesChanged(addresses: readonly string[], unresolved: readonly string[]): void {
    this.addresses.push({ addresses, unresolved })
  }

  standsBy(): boolean {
    return false
  }

  dialFailed(address: string, error: Error): void {
    this.failures.push({ address, code: errorCode(error), message: error.message })
  }
}
