// tsyringe, below @peculiar/x509, needs it before anything else.
import 'reflect-metadata'
import { generateKeyPairSync, randomBytes, webcrypto, type KeyObject } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { KeyFingerprint } from '../core/credentials.ts'
import type { KeyAlgorithm, PublicKey } from './public-key.ts'

/*
 * Mutual TLS from SSH keys (SECURITY.md, What protects the network):
 *
 *   authorized_keys of the one        the other
 *   ───────────────────────────       ─────────────────────────────────────────────
 *   public key ──► anchor             private key ──► leaf
 *                  CN=<name>    ◄──── issuer          P-256, DNS:<name>.synd, not a CA
 *                  CA, pathlen 0
 *
 * 1. An anchor says only "this key may issue leaves": its own signature is never looked at, its type must fit.
 * 2. pathlen 0: a member may issue leaves, but no CA that would issue a leaf in another member's name.
 * 3. The name in a leaf is its issuer's, so that a leaf proves which key stands behind the connection.
 */

/** The SHA-256 of a key's SPKI, cut to 160 bits: a common name has at most 64 characters. */
const nameLength = 40

const dayMs = 24 * 60 * 60 * 1000
/** Clocks of peers may be off by this much. */
const backdatedMs = 2 * dayMs
const leafLifetimeMs = 30 * dayMs
const serialBytes = 16

/** A certificate and its private key, as PEM. */
export interface Leaf {
  readonly certificatePem: string
  readonly privateKeyPem: string
}

/** What a key is called in certificates. */
export function certificateName(fingerprint: KeyFingerprint): string {
  return fingerprint.slice(0, nameLength)
}

/** The one name in the leaf of a key. */
export function leafName(fingerprint: KeyFingerprint): string {
  return `${certificateName(fingerprint)}.synd`
}

/** A new P-256 leaf issued by this peer's SSH key. */
export async function issueLeaf(
  issuer: PublicKey,
  privateKey: KeyObject,
  nowMs: number,
): Promise<Leaf> {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { importAs, signAs } = signingOf(issuer.algorithm)
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serial(),
      subject: `CN=${certificateName(issuer.fingerprint)} leaf`,
      issuer: `CN=${certificateName(issuer.fingerprint)}`,
      notBefore: new Date(nowMs - backdatedMs),
      notAfter: new Date(nowMs - backdatedMs + leafLifetimeMs),
      publicKey: new x509.PublicKey(spkiOf(pair.publicKey)),
      signingKey: privateKey.toCryptoKey(importAs, false, ['sign']),
      signingAlgorithm: signAs,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: leafName(issuer.fingerprint) },
        ]),
      ],
    },
    webcrypto,
  )
  const privateKeyPem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { certificatePem: certificate.toString('pem'), privateKeyPem }
}

/** A certificate that makes `key` one that may issue leaves; PEM. */
export async function anchorFor(key: PublicKey): Promise<string> {
  const name = `CN=${certificateName(key.fingerprint)}`
  const { importAs, signAs } = signingOf(key.algorithm)
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serial(),
      subject: name,
      issuer: name,
      notBefore: new Date('1970-01-01T00:00:00Z'),
      notAfter: new Date('9999-12-31T23:59:59Z'),
      publicKey: new x509.PublicKey(spkiOf(key.publicKey)),
      signingKey: throwAwayKey(key.algorithm).toCryptoKey(importAs, false, ['sign']),
      signingAlgorithm: signAs,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    },
    webcrypto,
  )
  return certificate.toString('pem')
}

type Importing = webcrypto.EcKeyImportParams | webcrypto.RsaHashedImportParams | { name: 'Ed25519' }

function signingOf(algorithm: KeyAlgorithm): {
  importAs: Importing
  signAs: webcrypto.EcdsaParams | { name: string }
} {
  if (algorithm === 'ssh-ed25519') {
    return { importAs: { name: 'Ed25519' }, signAs: { name: 'Ed25519' } }
  }
  if (algorithm === 'ssh-rsa') {
    const name = 'RSASSA-PKCS1-v1_5'
    return { importAs: { name, hash: 'SHA-256' }, signAs: { name } }
  }
  const { namedCurve, hash } = curves[algorithm]
  return { importAs: { name: 'ECDSA', namedCurve }, signAs: { name: 'ECDSA', hash } }
}

const curves = {
  'ecdsa-sha2-nistp256': { namedCurve: 'P-256', hash: 'SHA-256' },
  'ecdsa-sha2-nistp384': { namedCurve: 'P-384', hash: 'SHA-384' },
  'ecdsa-sha2-nistp521': { namedCurve: 'P-521', hash: 'SHA-512' },
} as const

const throwAwayKeys = new Map<KeyAlgorithm, KeyObject>()

/** RSA keys are dear to make, so one of each kind serves the whole process. */
function throwAwayKey(algorithm: KeyAlgorithm): KeyObject {
  const known = throwAwayKeys.get(algorithm)
  if (known !== undefined) return known
  const made =
    algorithm === 'ssh-ed25519'
      ? generateKeyPairSync('ed25519').privateKey
      : algorithm === 'ssh-rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
        : generateKeyPairSync('ec', { namedCurve: curves[algorithm].namedCurve }).privateKey
  throwAwayKeys.set(algorithm, made)
  return made
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}

/** Positive, as RFC 5280 wants it. */
function serial(): string {
  const bytes = randomBytes(serialBytes)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}
