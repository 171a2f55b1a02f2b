import type { Observation } from '../../core/observation.ts'
import type { RelativePath } from '../../core/relative-path.ts'

/** Events of our own work arrive within this. */
const rememberedMs = 10_000

/** What we put on the disk ourselves a moment ago: its modification time is the announced one, so a later write cannot hide behind it. */
export class OwnWork {
  readonly #done = new Map<RelativePath, { ctimeNs: bigint; atMs: number }>()

  note(path: RelativePath, observation: Observation, nowMs: number): void {
    this.#done.delete(path)
    this.#done.set(path, { ctimeNs: observation.ctimeNs, atMs: nowMs })
  }

  is(path: RelativePath, observation: Observation): boolean {
    return this.#done.get(path)?.ctimeNs === observation.ctimeNs
  }

  forgetOld(nowMs: number): void {
    for (const [path, { atMs }] of this.#done) {
      if (nowMs - atMs < rememberedMs) return
      this.#done.delete(path)
    }
  }
}
