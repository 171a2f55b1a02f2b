/**
 * Formats of single settings: each takes the whole text and gives the value, or throws FormatError. convict's own formats
 * are not used: they take "10MB" for 10, "0" for true and "" for a list of one.
 */
import { resolve } from 'node:path'
import { closestName } from './close-name.ts'
import { FormatError } from './format-error.ts'

const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** setTimeout takes 2^31 − 1 ms and fires at once beyond it. */
const longestTimerMs = 2_147_483_647

/** A duration in milliseconds: a whole number and `ms`, `s`, `m` or `h`, from 100ms to 500h (timers end at 24 days). */
export function parseIntervalMs(text: string): number {
  const [, digits, unit] = /^(\d{1,10})(ms|s|m|h)$/.exec(text) ?? []
  const durationMs =
    Number(digits) * (unit === undefined || !isUnit(unit) ? Number.NaN : unitsMs[unit])
  // Below 100 ms a periodic scan would take a whole core.
  if (durationMs >= 100 && durationMs <= 500 * unitsMs.h && durationMs <= longestTimerMs)
    return durationMs
  throw new FormatError('a duration such as 250ms, 5s, 10m or 36h, from 100ms to 500h')
}

function isUnit(text: string): text is keyof typeof unitsMs {
  return Object.hasOwn(unitsMs, text)
}

/** `50%` as 0.5; `off` as null. */
export function parseShareOrOff(text: string): number | null {
  if (text === 'off') return null
  const [, digits] = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(text) ?? []
  const percentage = Number(digits)
  if (percentage >= 0 && percentage <= 100) return percentage / 100
  throw new FormatError('a percentage from 0% to 100% such as 50%, or off')
}

/** One of a few words; `later` are words that a coming version will know. */
export function oneOf<const Word extends string>(
  words: readonly Word[],
  later: readonly string[] = [],
): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text)
    if (found !== undefined) return found
    const expected = enumerate(words)
    if (later.includes(text))
      throw new FormatError(`${expected} (${text} comes in a later version)`)
    const closest = closestName(text, words)
    throw new FormatError(closest === null ? expected : `${expected} (did you mean ${closest}?)`)
  }
}

/** `a, b or c`. */
function enumerate(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

/** A path of a file or directory, made absolute from the working directory. */
export function parsePath(text: string): string {
  if (text === '' || text.includes('\0') || text !== text.trim())
    throw new FormatError('the path of a file or directory')
  return resolve(text)
}

/** A path, or null for the empty text. */
export function parseOptionalPath(text: string): string | null {
  return text === '' ? null : parsePath(text)
}

/** A name for people, or null for the empty text: at most 255 printable characters. */
export function parseOptionalName(text: string): string | null {
  if (text === '') return null
  if (text.length > 255 || /\p{C}/u.test(text) || text !== text.trim())
    throw new FormatError('a name of at most 255 printable characters')
  return text
}

/** A comma separated list, trimmed; the empty text is the empty list, an empty entry is an error; what is twice counts once. */
export function listOf<Item>(
  parseItem: (text: string) => Item,
  keyOf: (item: Item) => string,
): (text: string) => readonly Item[] {
  return (text) => {
    if (text.trim() === '') return []
    const items = text.split(',').map((part) => parseItem(part.trim()))
    return [...new Map(items.map((item) => [keyOf(item), item])).values()]
  }
}
