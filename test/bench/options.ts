import { parseArgs } from 'node:util'

/** What to measure, and how much of it. */
export interface Options {
  /** The one measure to make; null: all but those that must be asked for. */
  readonly only: string | null
  /** One small run of each: to see that it works, not to know how fast it is. */
  readonly isQuick: boolean
  /** Also what else is installed, for the new file. */
  readonly hasRivals: boolean
  /** Also what takes long: 100,000 known files. */
  readonly hasLarge: boolean
}

export const usage = 'npm run bench -- [--only=<name>] [--quick] [--rivals] [--large]'

/** Throws for flags that there are not. */
export function parseOptions(words: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      rivals: { type: 'boolean', default: false },
      large: { type: 'boolean', default: false },
    },
  })
  return {
    only: values.only ?? null,
    isQuick: values.quick,
    hasRivals: values.rivals,
    hasLarge: values.large,
  }
}

/** Runs of each measure; the median of them counts. */
export function runsOf({ isQuick }: Options): number {
  return isQuick ? 1 : 5
}

/** How much of something: `full`, or `quick` where it is only to be seen that it works. */
export function sizeOf(
  { isQuick }: Options,
  { full, quick }: { full: number; quick: number },
): number {
  return isQuick ? quick : full
}
