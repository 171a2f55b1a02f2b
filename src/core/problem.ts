import type { RelativePath } from './relative-path.ts'

/** Why one path is not in sync or not synced: data, shown in /status, counted in synd_problems{code}. */
export const problemCodes = [
  'unsupported-kind',
  'unreadable',
  'unsyncable-name',
  'pull-failed',
  'source-mismatch',
  'disk-full',
  'apply-failed',
  'leftover',
  'deletes-held',
  'contended',
  'quarantined',
  'local-change',
  'damaged',
  'ignore-file',
  'peer-not-listed',
  'peer-unreachable',
  'peer-unresolved',
  'peer-untrusted',
  'source-failed',
  'identity-renewed',
  'version-reuse',
  'watch-degraded',
  'index-unwritable',
  'refused-entry',
  'settings',
] as const

export type ProblemCode = (typeof problemCodes)[number]

/** What a successful apply ends, and what is over when a path is not synced any more. */
export const applyProblems: readonly ProblemCode[] = [
  'pull-failed',
  'source-mismatch',
  'disk-full',
  'apply-failed',
  'contended',
  'damaged',
]

/** `path` is null for what concerns a peer or the volume as a whole. */
export interface Problem {
  readonly path: RelativePath | null
  readonly code: ProblemCode
  readonly message: string
}
