import { SyndError } from '../core/errors.ts'
import { errnoOf } from './disk.ts'

/** What a write failed with: SyndError `no-space` or `io`, both worth another try; anything but a DiskError as it is. */
export function writeError(
  error: unknown,
  messageOf: (why: { readonly errno: string; readonly isFull: boolean }) => string,
): unknown {
  const errno = errnoOf(error)
  if (errno === null) return error
  const isFull = errno === 'ENOSPC' || errno === 'EDQUOT'
  const message = messageOf({ errno, isFull })
  return new SyndError(isFull ? 'no-space' : 'io', message, { retryable: true, cause: error })
}
