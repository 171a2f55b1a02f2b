import type { Store } from '../../src/engine/ports.ts'
import { ProcessEnded } from '../support/memory-disk-attached.ts'

/** One run of one simulated process: counts its effects and ends at the one that was chosen, if any. */
export class Life {
  readonly #trace: (text: string) => void
  #isOver = false
  #effects = 0
  /** The process ends at this effect; each effect counts twice, before and after. */
  endAt: number | null = null
  /** Where it ended, in words; null while it runs. */
  endedAt: string | null = null

  constructor({ trace }: { trace: (text: string) => void }) {
    this.#trace = trace
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get effects(): number {
    return this.#effects
  }

  end(): void {
    this.#isOver = true
  }

  demandAlive(): void {
    if (this.#isOver) throw new ProcessEnded('the process has ended')
  }

  effect(when: 'before' | 'after', what: string): void {
    this.demandAlive()
    this.#effects++
    this.#trace(`${when} ${what}`)
    if (this.endAt === null || this.#effects < this.endAt) return
    this.#isOver = true
    this.endedAt = `${when} ${what.split(' ')[0] ?? ''}`
    throw new ProcessEnded(`ended ${when} ${what}`)
  }
}

/** The store as one life sees it: its commits are effects, and nothing answers once the life is over. */
export function storeOf(store: Store, life: Life): Store {
  return new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property)
      if (typeof member !== 'function') return member
      return (...given: unknown[]): unknown => {
        life.demandAlive()
        const isEffect = property === 'commit' || property === 'recordHold'
        if (!isEffect) return Reflect.apply(member, target, given)
        const what = `${property} ${describe(given[0])}`
        life.effect('before', what)
        const result: unknown = Reflect.apply(member, target, given)
        life.effect('after', what)
        return result
      }
    },
  })
}

function describe(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'bigint') return inner.toString()
    return inner instanceof Map ? [...inner] : inner
  })
}
