/** Why something from the network was refused: the label `reason` of `synd_rejected_total{surface="grpc"}`. */
export const rejectionReasons = [
  // connections
  'tls-failed',
  'no-certificate',
  'untrusted-certificate',
  'expired-certificate',
  'untrusted-key',
  'too-many-connections',
  'http2',
  // calls
  'malformed-hello',
  'protocol-version',
  'hello-refused',
  'no-session',
  'unknown-method',
  // batches
  'oversize-message',
  'oversize-batch',
  'malformed-message',
  'no-news',
  // entries
  'malformed-entry',
  'oversize-entry',
  'bad-sequence',
  'bad-path',
  'bad-vector',
  'bad-dot',
  'counter-ahead',
  'bad-mode',
  'bad-mtime',
  'bad-digest',
  'bad-size',
  'bad-target',
  // of another version of the protocol: ignored and counted
  'unknown-kind',
  'unknown-field',
] as const

export type RejectionReason = (typeof rejectionReasons)[number]

/** Counts one refusal. */
export type Rejected = (surface: 'grpc', reason: RejectionReason) => void

/** What is wrong with a message or an entry of one; `reason` is for counting, the message for people. */
export class Rejection extends Error {
  readonly reason: RejectionReason

  constructor(reason: RejectionReason, message: string) {
    super(message)
    this.name = 'Rejection'
    this.reason = reason
  }
}
