/** Why the HTTP server refuses: values of the label `reason` that are there from the start. */
export const httpRejections: readonly string[] = [
  'path',
  'method',
  'not-local',
  'host',
  'origin',
  'headers',
  'malformed',
  'timeout',
  'connections',
]

/** Why pulls fail: codes of SyndError and of problems. */
export const knownTransferErrors: readonly string[] = [
  'unreachable',
  'untrusted',
  'protocol',
  'stalled',
  'refused',
  'aborted',
  'io',
  'no-space',
  'digest-mismatch',
  'pull-failed',
  'source-mismatch',
  'disk-full',
]
