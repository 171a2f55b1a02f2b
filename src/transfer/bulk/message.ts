import type { ErrorCode } from '../../core/errors.ts'
import type { ProblemCode } from '../../core/problem.ts'
import type { PullRequest } from '../../engine/ports.ts'
import type { SinkLimits } from '../sink/connection.ts'

/** What the thread of the bulk lane is started with. */
export interface BulkSetup {
  readonly privateKey: string
  readonly limits: SinkLimits
}

/** An embedded source, and the host key that it proved to the main thread: it has to prove the same one again. */
export interface BulkTarget {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly hostKey: Uint8Array
}

/** To the thread. */
export type BulkOrder =
  /** Write the file into `fd`, which the main thread keeps open until it is told `ended`. */
  | {
      readonly kind: 'pull'
      readonly id: number
      readonly target: BulkTarget
      readonly request: PullRequest
      readonly fd: number
    }
  | { readonly kind: 'abort'; readonly id: number }
  /** The host key of that name is not trusted any more. */
  | { readonly kind: 'distrust'; readonly name: string }
  /** End: nobody needs the thread. */
  | { readonly kind: 'stop' }

/** How a pull ended: as `Pulled`, or with a SyndError. */
export type BulkOutcome =
  | { readonly kind: 'received'; readonly sizeBytes: number; readonly digest: string }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'failed'; readonly code: ProblemCode; readonly message: string }
  | {
      readonly kind: 'thrown'
      readonly code: ErrorCode
      readonly message: string
      readonly retryable: boolean
    }

/** From the thread. */
export type BulkNotice =
  /** `fd` is not used any more. */
  | { readonly kind: 'ended'; readonly id: number; readonly outcome: BulkOutcome }
  | {
      readonly kind: 'refused'
      readonly id: number
      readonly reason: 'record' | 'content'
      readonly text: string
    }
