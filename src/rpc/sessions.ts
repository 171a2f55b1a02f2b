import { randomBytes } from 'node:crypto'
import type { KeyFingerprint } from '../core/credentials.ts'
import type { Hello, HelloAnswer } from '../core/protocol.ts'

/** What a Hello established. */
export interface Greeting {
  readonly hello: Hello
  /** What we said of ourselves in return. */
  readonly answer: HelloAnswer
  readonly key: KeyFingerprint
}

const sessionBytes = 16
/** The stream follows its Hello at once. */
const lifetimeMs = 30_000
/** Peers that said Hello and did not come back push each other out. */
const maxSessions = 1024

/** Hellos that wait for their stream: each opens one, and only for the key that said Hello. */
export class Sessions {
  readonly #waiting = new Map<string, Greeting & { untilMs: number }>()
  readonly #monotonicMs: () => number

  constructor({ monotonicMs }: { monotonicMs: () => number }) {
    this.#monotonicMs = monotonicMs
  }

  /** A key for the stream, which nobody can guess. */
  open(greeting: Greeting): Buffer {
    const [oldest] = this.#waiting.keys()
    if (oldest !== undefined && this.#waiting.size >= maxSessions) this.#waiting.delete(oldest)
    const session = randomBytes(sessionBytes)
    const untilMs = this.#monotonicMs() + lifetimeMs
    this.#waiting.set(session.toString('hex'), { ...greeting, untilMs })
    return session
  }

  /** The Hello of this session, once; null for one that is unknown, used, too old, or another key's. */
  take(session: Buffer, key: KeyFingerprint): Greeting | null {
    const name = session.toString('hex')
    const waiting = this.#waiting.get(name)
    if (waiting === undefined || waiting.key !== key) return null
    this.#waiting.delete(name)
    const { untilMs, ...greeting } = waiting
    return this.#monotonicMs() <= untilMs ? greeting : null
  }
}
