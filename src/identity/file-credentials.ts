import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { HandshakeAdvice, KeyFingerprint, TlsCredentials } from '../core/credentials.ts'
import { SyndError } from '../core/errors.ts'
import { FilePoll } from './file-poll.ts'

type Log = (level: 'info' | 'warn', message: string, fields: Record<string, unknown>) => void

/** The files of SYND_TLS=files. */
export interface CredentialFiles {
  readonly certificate: string
  readonly privateKey: string
  readonly authorities: string
}

const advice: HandshakeAdvice = {
  unbelieved: 'is it valid, and of an authority in our SYND_TLS_CA?',
  unexpected: 'does it name the host as our SYND_PEERS does?',
  refused: 'is our certificate valid, and of an authority in its SYND_TLS_CA?',
}

/**
 * TLS credentials of an authority of the operator's own (SYND_TLS=files), read again when the files change. Whoever has a certificate of that
 * authority is a peer; who is dialled must also be named by it as SYND_PEERS does. Its SSH key is not proved by it, so the key behind every
 * connection is the empty string, as with TLS off.
 */
export class FileCredentials {
  readonly advice = advice
  readonly #files: CredentialFiles
  readonly #log: Log
  readonly #poll: FilePoll
  readonly #listeners = new Set<() => void>()
  #credentials: TlsCredentials | null = null
  /** The authorities changed: connections that the old ones vouched for have to prove themselves anew. */
  #isProvingAnew = false

  constructor(options: { files: CredentialFiles; log: Log; pollMs?: number }) {
    this.#files = options.files
    this.#log = options.log
    const { certificate, privateKey, authorities } = options.files
    this.#poll = new FilePoll({
      paths: [certificate, privateKey, authorities],
      changed: () => this.#readAgain(),
      ...(options.pollMs === undefined ? {} : { pollMs: options.pollMs }),
    })
  }

  /** Throws `bad-key` for files that cannot be read or do not fit each other. */
  start(): void {
    this.#poll.start()
    try {
      this.#credentials = readCredentials(this.#files)
    } catch (error) {
      this.#poll.stop()
      throw error
    }
  }

  stop(): void {
    this.#poll.stop()
    this.#listeners.clear()
  }

  /** Throws before `start`. */
  current(): TlsCredentials {
    if (this.#credentials === null) throw new Error('credentials were not read yet')
    return this.#credentials
  }

  /** Called when `current` gives something else, until the function it returns is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The empty string for a certificate that fits the host which was dialled (null: the peer dialled us), else null. */
  keyOfPeer(certificate: X509Certificate | Buffer, host: string | null): KeyFingerprint | null {
    if (this.#isProvingAnew) return null
    if (host === null) return ''
    const leaf = Buffer.isBuffer(certificate) ? new X509Certificate(certificate) : certificate
    const fits = isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)
    return fits === undefined ? null : ''
  }

  #readAgain(): void {
    const before = this.#credentials?.anchorsPem.join('\n')
    try {
      this.#credentials = readCredentials(this.#files)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#log('warn', 'TLS files cannot be used; the ones known stay', { reason })
      return
    }
    this.#log('info', 'TLS files read again', { certificate: this.#files.certificate })
    this.#isProvingAnew = before !== this.#credentials.anchorsPem.join('\n')
    try {
      for (const listener of this.#listeners) listener()
    } finally {
      this.#isProvingAnew = false
    }
  }
}

function readCredentials(files: CredentialFiles): TlsCredentials {
  const certificatePem = readPem('SYND_TLS_CERT', files.certificate)
  const privateKeyPem = readPem('SYND_TLS_KEY', files.privateKey)
  const authorities = readPem('SYND_TLS_CA', files.authorities)
  const anchorsPem =
    authorities.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  // No anchors at all would mean those of the system.
  if (anchorsPem.length === 0) {
    throw new SyndError('bad-key', `SYND_TLS_CA: ${files.authorities} holds no certificate`)
  }
  try {
    createSecureContext({ cert: certificatePem, key: privateKeyPem, ca: anchorsPem })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SyndError(
      'bad-key',
      `SYND_TLS_CERT: ${files.certificate} and SYND_TLS_KEY: ${files.privateKey} do not make a TLS identity (${reason})`,
      { cause },
    )
  }
  return { certificatePem, privateKeyPem, anchorsPem }
}

function readPem(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new SyndError('bad-key', `${setting}: ${path} cannot be read (${code})`, { cause })
  }
}
