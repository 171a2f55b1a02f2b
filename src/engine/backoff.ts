import type { Chance } from './ports.ts'

/** Doubling delays with jitter: the n-th (from 0) lies between half of `firstMs * 2^n` and all of it, at most `lastMs`. */
export function backoffMs(
  attempt: number,
  options: { firstMs: number; lastMs: number; chance: Chance },
): number {
  const full = Math.min(options.lastMs, options.firstMs * 2 ** Math.min(attempt, 30))
  return full / 2 + (full / 2) * options.chance.fraction()
}
