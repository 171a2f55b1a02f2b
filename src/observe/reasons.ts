/** Why something from outside was refused, by surface: label sets that are there from the start; others may come. */
export const knownRejections: Readonly<Record<string, readonly string[]>> = {
  http: [
    'path',
    'method',
    'not-local',
    'host',
    'origin',
    'headers',
    'malformed',
    'timeout',
    'connections',
  ],
}

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
