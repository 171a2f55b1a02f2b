import { type ErrorCode, errorCode } from '../core/errors.ts'

/** Codes that somebody has to mend outside: settings, keys, the volume. */
const setupCodes: ReadonlySet<ErrorCode> = new Set([
  'bad-settings',
  'bad-key',
  'volume-missing',
  'volume-unwritable',
  'volume-unreadable',
])

/** 78 (EX_CONFIG of sysexits.h) for what somebody has to set up first, else 1. */
export function exitCodeOf(error: unknown): 1 | 78 {
  const code = errorCode(error)
  return code !== null && setupCodes.has(code) ? 78 : 1
}

/** What stderr says of an error: one plain line for what was foreseen, everything for a bug. */
export function describeError(error: unknown): string {
  if (errorCode(error) !== null && error instanceof Error) return `synd: ${oneLine(error.message)}`
  return `synd: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}

/** Text from outside as it may stand on a terminal: control characters and invisible ones written out. */
export function oneLine(text: string): string {
  return text.replaceAll(
    /\p{C}/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}
