import type { Options } from './options.ts'

/** One figure: what was measured, in which unit, once a run. */
export interface Figure {
  readonly name: string
  readonly unit: 'ms' | 's' | 'MiB' | '%' | 'bytes' | 'ratio'
  /** Of each run. */
  readonly runs: readonly number[]
  /** Of each run, where `runs` are its 50th percentiles. */
  readonly p95Runs?: readonly number[]
}

/** Something that is measured with a set-up of its own. */
export interface Measure {
  /** For `--only`; its figures' names begin with it. */
  readonly name: string
  /** Made only when asked for. */
  readonly needs?: 'large' | 'rivals'
  run(options: Options): Promise<readonly Figure[]>
}

export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** Nearest rank, between two where there is no middle; NaN of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = ((sorted.length - 1) * percent) / 100
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

/** The JSON line of a figure. */
export function lineOf({ name, unit, runs, p95Runs }: Figure, command: string): string {
  const middle = round(median(runs))
  const percentiles = p95Runs === undefined ? {} : { p50: middle, p95: round(median(p95Runs)) }
  return JSON.stringify({
    name,
    unit,
    median: middle,
    ...percentiles,
    runs: runs.map(round),
    command,
  })
}

/** Four digits that count. */
function round(value: number): number {
  return Number(value.toPrecision(4))
}
