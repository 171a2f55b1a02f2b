import { SyndError } from '../../src/core/errors.ts'
import type { Store, Transaction } from '../../src/engine/ports.ts'
import { ProcessEnded } from '../support/memory-disk-attached.ts'
import { commitPoint } from './crash-points.ts'
import type { Trace } from './trace.ts'

/** One run of one simulated process: counts its effects and ends at the one that was chosen, if any. */
export class Life {
  readonly #trace: Trace
  readonly #name: string
  readonly #onEnd: () => void
  #isOver = false
  #effects = 0
  /** The process ends at this effect; each effect counts twice, before and after. */
  endAt: number | null = null
  /** The kind of effect at which it ended, with `before` or `after`; null while it runs. */
  endedAt: string | null = null
  /** The process ends when it comes to this point. */
  endAtPoint: string | null = null
  readonly #onPoint: (point: string) => void

  /** `onEnd` is called once, when the process has ended in whatever way; `onPoint` for each effect, with its kind and `before` or `after`. */
  constructor(parts: {
    trace: Trace
    name: string
    onEnd: () => void
    onPoint: (point: string) => void
  }) {
    this.#trace = parts.trace
    this.#name = parts.name
    this.#onEnd = parts.onEnd
    this.#onPoint = parts.onPoint
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get effects(): number {
    return this.#effects
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#onEnd()
  }

  demandAlive(): void {
    if (this.#isOver) throw new ProcessEnded('the process has ended')
  }

  effect(when: 'before' | 'after', kind: string, detail: string): void {
    this.demandAlive()
    this.#effects++
    const point = `${when}/${kind}`
    this.#onPoint(point)
    this.#trace.line(`${this.#name} ${when} ${kind} ${detail}`)
    const isDue = this.endAt !== null && this.#effects >= this.endAt
    if (!isDue && this.endAtPoint !== point) return
    this.endedAt = point
    this.end()
    throw new ProcessEnded(`ended ${when} ${kind} ${detail}`)
  }

  /** Does `action`, which is an effect: what a crash may come before and after. */
  around<Result>(kind: string, detail: string, action: () => Result): Result {
    this.effect('before', kind, detail)
    const result = action()
    this.effect('after', kind, detail)
    return result
  }
}

/** The store as one life sees it: its commits are effects, and nothing answers once the life is over. */
export function storeOf(
  store: Store,
  life: Life,
  hooks: {
    isFull: () => boolean
    beforeCommit: (transaction: Transaction) => void
    onCommit: (transaction: Transaction) => void
  },
): Store {
  const writing = <Result>(kind: string, action: () => Result): Result => {
    life.demandAlive()
    if (hooks.isFull()) throw new SyndError('no-space', 'no room for the index')
    return life.around(kind, '', action)
  }
  const writes: Partial<Store> = {
    commit: (transaction) =>
      writing(commitPoint(transaction), () => {
        hooks.beforeCommit(transaction)
        store.commit(transaction)
        hooks.onCommit(transaction)
      }),
    recordHolds: (holds) => writing('record-holds', () => store.recordHolds(holds)),
  }
  return new Proxy(store, {
    get(target, property) {
      const own: unknown = Reflect.get(writes, property)
      if (own !== undefined) return own
      const member: unknown = Reflect.get(target, property)
      if (typeof member !== 'function') return member
      return (...given: unknown[]): unknown => {
        life.demandAlive()
        return Reflect.apply(member, target, given)
      }
    },
  })
}
