/** What one side of a TLS connection shows and whom it believes; PEM texts (SECURITY.md, What protects the network). */
export interface TlsCredentials {
  readonly certificatePem: string
  readonly privateKeyPem: string
  /** Never empty: an empty list would mean the system's CAs. */
  readonly anchorsPem: readonly string[]
}

/** SHA-256 of a public key's SPKI, as 64 hex digits: how a key is named in tables, logs and host key pins. */
export type KeyFingerprint = string

/** What known_hosts says of the key that a host shows: `unknown` has no line for the host, `changed` has lines with other keys. */
export type HostKeyVerdict = 'known' | 'unknown' | 'changed' | 'revoked'

/** What an operator should look at when a handshake does not come about, each a question. */
export interface HandshakeAdvice {
  /** We do not believe the other side's certificate. */
  readonly unbelieved: string
  /** We believe it, and it is not that of the peer which was dialled. */
  readonly unexpected: string
  /** The other side does not believe ours. */
  readonly refused: string
}
