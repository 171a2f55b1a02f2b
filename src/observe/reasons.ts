/**
 * Why each surface refuses, besides gRPC, whose list main hands over: label sets of synd_rejected_total that are there from the
 * start. A test holds them against the types of those who refuse.
 */
export const knownRejections: Readonly<Record<string, readonly string[]>> = {
  ssh: [
    'connection-limit',
    'login-deadline',
    'login',
    'protocol',
    'session-limit',
    'command',
    'request',
    'forwarding',
    'path',
    'stalled',
    'no-longer-authorized',
  ],
  scp: ['host-key', 'record', 'content'],
  http: [
    'path',
    'method',
    'not-local',
    'host',
    'origin',
    'expectation',
    'headers',
    'malformed',
    'timeout',
    'connections',
  ],
  identity: ['identity-renewed'],
  reconcile: ['version-reuse'],
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
