import { generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import type { HandshakeAdvice, KeyFingerprint, TlsCredentials } from '../core/credentials.ts'
import { SyndError } from '../core/errors.ts'
import { anchorFor, issueLeaf, type Leaf } from './certificate.ts'
import { issuerOfLeaf } from './peer-certificate.ts'
import { publicKeyOf, type PublicKey } from './public-key.ts'

/** Whose leaves are believed. */
interface Trusted {
  current(): readonly PublicKey[]
  onChange(listener: () => void): () => void
}

type Log = (level: 'info' | 'warn', message: string, fields: Record<string, unknown>) => void

/** A leaf is good for 28 days; a new one each day leaves four weeks for a clock that stands still. */
const renewalMs = 24 * 60 * 60 * 1000
/** The clock is looked at this often: it may jump, and a suspended host has no timers. */
const lookMs = 60_000

const advice: HandshakeAdvice = {
  unbelieved: 'is its public key in our authorized_keys?',
  unexpected: 'is its public key in our authorized_keys?',
  refused: 'is our public key in its authorized_keys?',
}

/** TLS credentials made of this peer's SSH key and the peers' public keys, always current (SECURITY.md, What protects the network). */
export class CredentialSource {
  readonly advice = advice
  readonly #issuer: PublicKey
  readonly #privateKey: KeyObject
  readonly #trusted: Trusted
  readonly #log: Log
  readonly #nowMs: () => number
  readonly #listeners = new Set<() => void>()
  #anchors: ReadonlyMap<KeyFingerprint, string> = new Map()
  #credentials: TlsCredentials | null = null
  #leaf: (Leaf & { issuedMs: number }) | null = null
  #refresh = Promise.resolve()
  #unsubscribe: () => void = () => {}
  #timer: NodeJS.Timeout | null = null

  constructor(options: {
    privateKey: KeyObject
    trusted: Trusted
    log: Log
    nowMs?: () => number
  }) {
    const issuer = publicKeyOf(options.privateKey)
    if (typeof issuer === 'string') throw new SyndError('bad-key', `SYND_SSH_KEY: ${issuer}`)
    this.#issuer = issuer
    this.#privateKey = options.privateKey
    this.#trusted = options.trusted
    this.#log = options.log
    this.#nowMs = options.nowMs ?? Date.now
  }

  /** Makes the first leaf and the anchors. */
  async start(): Promise<void> {
    const keys = this.#trusted.current()
    this.#credentials = await this.#make()
    const changed = () => this.#renew('authorized keys changed')
    this.#unsubscribe = this.#trusted.onChange(changed)
    if (this.#trusted.current() !== keys) changed()
    this.#timer = setInterval(() => this.#look(), lookMs)
    this.#timer.unref()
  }

  stop(): void {
    this.#unsubscribe()
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#listeners.clear()
  }

  /** Throws before `start`. */
  current(): TlsCredentials {
    if (this.#credentials === null) throw new Error('credentials were not made yet')
    return this.#credentials
  }

  /** Called when `current` gives something else, until the function it returns is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The authorized key behind the certificate of a TLS session (an X.509 object or its DER), or null for one that is not to be believed. */
  keyOfPeer(certificate: X509Certificate | Buffer): KeyFingerprint | null {
    const leaf = Buffer.isBuffer(certificate) ? parseCertificate(certificate) : certificate
    return leaf === null ? null : issuerOfLeaf(leaf, this.#trusted.current(), this.#nowMs())
  }

  /** Looks whether the leaf is due; also after the clock was put back. */
  #look(): void {
    if (Math.abs(this.#nowMs() - (this.#leaf?.issuedMs ?? 0)) >= renewalMs) this.#renew('a day old')
  }

  /** One after the other: the last to begin sees the newest keys. */
  #renew(reason: string): void {
    this.#refresh = this.#refresh.then(() => this.#remake(reason))
  }

  async #remake(reason: string): Promise<void> {
    try {
      this.#credentials = await this.#make()
    } catch (error) {
      const { message } = error instanceof Error ? error : new Error(String(error))
      this.#log('warn', 'TLS credentials could not be renewed; the ones known stay', { message })
      return
    }
    const anchors = this.#credentials.anchorsPem.length
    this.#log('info', 'TLS credentials renewed', { reason, anchors })
    for (const listener of this.#listeners) listener()
  }

  async #make(): Promise<TlsCredentials> {
    const nowMs = this.#nowMs()
    if (this.#leaf === null || Math.abs(nowMs - this.#leaf.issuedMs) >= renewalMs) {
      const leaf = await issueLeaf(this.#issuer, this.#privateKey, nowMs)
      this.#leaf = { ...leaf, issuedMs: nowMs }
    }
    const { certificatePem, privateKeyPem } = this.#leaf
    return { certificatePem, privateKeyPem, anchorsPem: await this.#makeAnchors() }
  }

  async #makeAnchors(): Promise<string[]> {
    const keys = this.#trusted.current()
    const anchors = new Map<KeyFingerprint, string>()
    // No anchors at all would mean those of the system: then one whose private key nobody has.
    for (const key of keys.length > 0 ? keys : [nobody()]) {
      anchors.set(key.fingerprint, this.#anchors.get(key.fingerprint) ?? (await anchorFor(key)))
    }
    this.#anchors = anchors
    return [...anchors.values()]
  }
}

function nobody(): PublicKey {
  const key = publicKeyOf(generateKeyPairSync('ed25519').publicKey)
  if (typeof key === 'string') throw new Error(key)
  return key
}

function parseCertificate(der: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(der)
  } catch {
    return null
  }
}
