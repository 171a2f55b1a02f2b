import type { Observer, VolumeHalt } from './ports.ts'

/** Says once when the volume halts, and once when it is back (rule 20). */
export class HaltLog {
  readonly #observer: Observer
  #halted: VolumeHalt['code'] | null = null

  constructor({ observer }: { observer: Observer }) {
    this.#observer = observer
  }

  note(halt: VolumeHalt | null): void {
    const code = halt?.code ?? null
    if (code === this.#halted) return
    this.#halted = code
    if (halt === null) this.#observer.log('info', 'the volume is back: going on')
    else
      this.#observer.log('error', 'halted: nothing is announced or applied', {
        code,
        reason: halt.message,
      })
  }
}
