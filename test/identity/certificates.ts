import 'reflect-metadata'
import { generateKeyPairSync, webcrypto, type KeyObject } from 'node:crypto'
import { connect, createServer, type TLSSocket } from 'node:tls'
import * as x509 from '@peculiar/x509'
import type { TlsCredentials } from '../../src/core/credentials.ts'
import { publicKeyOf, type PublicKey } from '../../src/identity/public-key.ts'

/** An ed25519 key pair as an attacker who is a member has it. */
export interface Member {
  readonly key: PublicKey
  readonly privateKey: KeyObject
}

export function makeMember(pair = generateKeyPairSync('ed25519')): Member {
  const key = publicKeyOf(pair.publicKey)
  if (typeof key === 'string') throw new Error(key)
  return { key, privateKey: pair.privateKey }
}

export interface Forged {
  readonly certificatePem: string
  readonly privateKeyPem: string
  readonly privateKey: KeyObject
}

/** A certificate as anybody with a private key can write one. */
export async function forge(options: {
  subject: string
  issuer: string
  signedBy: KeyObject
  names?: readonly string[]
  addresses?: readonly string[]
  isCa?: boolean
  notBefore?: Date
  notAfter?: Date
}): Promise<Forged> {
  const pair = generateKeyPairSync('ed25519')
  const names = [
    ...(options.names ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(options.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ]
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: options.subject,
      issuer: options.issuer,
      notBefore: options.notBefore ?? new Date(Date.now() - 60_000),
      notAfter: options.notAfter ?? new Date(Date.now() + 3_600_000),
      publicKey: new x509.PublicKey(pair.publicKey.export({ type: 'spki', format: 'der' })),
      signingKey: options.signedBy.toCryptoKey({ name: 'Ed25519' }, false, ['sign']),
      signingAlgorithm: { name: 'Ed25519' },
      extensions: [
        new x509.BasicConstraintsExtension(options.isCa === true, undefined, true),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      ],
    },
    webcrypto,
  )
  return {
    certificatePem: certificate.toString('pem'),
    privateKeyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey: pair.privateKey,
  }
}

/** What one TLS handshake over a real socket came to, as the server sees the client. */
export async function handshake(
  server: TlsCredentials,
  client: TlsCredentials,
): Promise<{ authorized: boolean; reason: string; raw: Buffer; serverRaw: Buffer }> {
  const listener = createServer({
    cert: server.certificatePem,
    key: server.privateKeyPem,
    ca: [...server.anchorsPem],
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
  })
  const accepted = new Promise<TLSSocket>((resolve, reject) => {
    listener.on('secureConnection', resolve)
    listener.on('tlsClientError', reject)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const socket = connect({
    host: '127.0.0.1',
    port,
    cert: client.certificatePem,
    key: client.privateKeyPem,
    ca: [...client.anchorsPem],
    servername: 'synd',
    checkServerIdentity: () => undefined,
    rejectUnauthorized: false,
  })
  try {
    const connected = new Promise<void>((resolve, reject) => {
      socket.on('secureConnect', resolve)
      socket.on('error', reject)
    })
    const [seen] = await Promise.all([accepted, connected])
    const reason: unknown = seen.authorizationError
    return {
      authorized: seen.authorized && socket.authorized,
      reason: String(reason),
      raw: seen.getPeerCertificate().raw,
      serverRaw: socket.getPeerCertificate().raw,
    }
  } finally {
    socket.destroy()
    listener.close()
  }
}
