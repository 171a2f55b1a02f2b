import type { X509Certificate } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import type { HandshakeAdvice, KeyFingerprint, TlsCredentials } from '../core/credentials.ts'

/** What this side of TLS shows and whom it believes. */
export interface Credentials {
  current(): TlsCredentials
  /** Called when `current` gives something else or a key is no longer believed, until the function it returns is called. */
  onChange(listener: () => void): () => void
  /** Whose certificate this is, or null for one that is not to be believed; `host` is whom we dialled, null when they dialled us. */
  keyOfPeer(certificate: X509Certificate | Buffer, host: string | null): KeyFingerprint | null
  readonly advice: HandshakeAdvice
}

/** Every peer speaks TLS 1.3, which hides the certificates and knows no renegotiation. */
export function contextOptions(credentials: Credentials): SecureContextOptions {
  const { certificatePem, privateKeyPem, anchorsPem } = credentials.current()
  return {
    cert: certificatePem,
    key: privateKeyPem,
    ca: [...anchorsPem],
    minVersion: 'TLSv1.3',
  }
}
