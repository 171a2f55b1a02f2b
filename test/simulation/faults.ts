import type { DiskCall, DiskOperation } from '../support/memory-disk-attached.ts'
import type { Random } from '../support/random.ts'
import type { VirtualTime } from '../support/virtual-clock.ts'

/** Which calls a disk refuses with which errno. */
const refusals: Readonly<Record<string, readonly DiskOperation[]>> = {
  ENOSPC: ['create', 'write', 'mkdir', 'symlink', 'link', 'rename', 'copy'],
  EACCES: ['list', 'read', 'unlink', 'rename', 'link', 'mkdir', 'create', 'chmod', 'utimes'],
  EIO: ['list', 'read', 'lstat', 'readlink', 'sync-file', 'sync-directory', 'write', 'rename'],
}

export const faultCodes = Object.keys(refusals)

/** What goes wrong on one host's disks for a while, and who meddles between two calls of the process. */
export class Faults {
  readonly #time: VirtualTime
  readonly #random: Random
  #refused: { errno: string; share: number; untilMs: number } | null = null
  #storeFullUntilMs = 0
  #quietUntilMs = 0
  #meddledMs = -Infinity
  #meddling: { inCalls: number; meddle: () => void } | null = null

  constructor({ time, random }: { time: VirtualTime; random: Random }) {
    this.#time = time
    this.#random = random
  }

  /** Something is refused, or was a moment ago. */
  get isActive(): boolean {
    return this.#time.nowMs < this.#quietUntilMs
  }

  get isStoreFull(): boolean {
    return this.#time.nowMs < this.#storeFullUntilMs
  }

  /** A share of the calls is refused with `errno`, for a while. */
  refuse(errno: string, { share, forMs }: { share: number; forMs: number }): void {
    const untilMs = this.#time.nowMs + forMs
    this.#refused = { errno, share, untilMs }
    this.#quietUntilMs = Math.max(this.#quietUntilMs, untilMs + 1_000)
  }

  fillStore(forMs: number): void {
    this.#storeFullUntilMs = this.#time.nowMs + forMs
    this.#quietUntilMs = Math.max(this.#quietUntilMs, this.#storeFullUntilMs + 1_000)
  }

  /** Somebody does something just before the `inCalls`-th call on the disk from now. */
  meddleAfter(inCalls: number, meddle: () => void): void {
    this.#meddling = { inCalls, meddle }
  }

  /** Whether somebody meddled within the last `withinMs`. */
  isMeddled(withinMs: number): boolean {
    return this.#time.nowMs - this.#meddledMs < withinMs
  }

  /** Everything works again, and nobody meddles. */
  end(): void {
    this.#refused = null
    this.#storeFullUntilMs = 0
    this.#quietUntilMs = 0
    this.#meddling = null
  }

  /** Asked ahead of each call on the disk. */
  refusalOf({ operation }: DiskCall): string | null {
    this.#meddle()
    const refused = this.#refused
    if (refused === null || this.#time.nowMs >= refused.untilMs) return null
    const isOne = refusals[refused.errno]?.includes(operation) === true
    return isOne && this.#random.isLikely(refused.share) ? refused.errno : null
  }

  #meddle(): void {
    const meddling = this.#meddling
    if (meddling === null || --meddling.inCalls > 0) return
    this.#meddling = null
    this.#meddledMs = this.#time.nowMs
    meddling.meddle()
  }
}
