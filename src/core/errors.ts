/** What an operation failed with. Callers look at the code, never at the message. */
export type ErrorCode =
  | 'bad-path'
  | 'bad-entry'
  | 'bad-settings'
  | 'bad-key'
  | 'volume-missing'
  | 'volume-foreign'
  | 'volume-unreadable'
  | 'volume-unwritable'
  | 'volume-locked'
  | 'no-space'
  | 'unreadable'
  | 'io'
  | 'store-damaged'
  | 'address-in-use'
  | 'unreachable'
  | 'unresolved'
  | 'untrusted'
  | 'protocol'
  | 'superseded'
  | 'refused'
  | 'stalled'
  | 'aborted'
  | 'digest-mismatch'

/** An operation that could not go on. One path that failed is a Problem, not an error. */
export class SyndError extends Error {
  readonly code: ErrorCode
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean

  constructor(
    code: ErrorCode,
    message: string,
    options: { retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'SyndError'
    this.code = code
    this.retryable = options.retryable ?? false
  }
}

/** The code of a SyndError, else null. */
export function errorCode(error: unknown): ErrorCode | null {
  return error instanceof SyndError ? error.code : null
}
