import { randomBytes, type KeyObject } from 'node:crypto'
import type { PublicKey } from './public-key.ts'
import { joinFields, mpint, splitFields } from './ssh-wire.ts'

/** The cipher `none` has OpenSSH's smallest block. */
const blockBytes = 8
const lineLength = 70

/**
 * A private key as ssh-keygen writes it, without passphrase: what OpenSSH, ssh2 and people's tools all read (OpenSSH, PROTOCOL.key).
 * Node cannot write this format, and ssh2 does not read PKCS#8.
 */
export function formatPrivateKey(key: PublicKey, privateKey: KeyObject, comment: string): string {
  const check = randomBytes(4)
  const body = Buffer.concat([
    check,
    check,
    privateFields(key, privateKey),
    joinFields([Buffer.from(comment)]),
  ])
  const padding = Buffer.from(
    Array.from({ length: (blockBytes - (body.length % blockBytes)) % blockBytes }, (_, i) => i + 1),
  )
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    joinFields([Buffer.from('none'), Buffer.from('none'), Buffer.alloc(0)]),
    Buffer.of(0, 0, 0, 1),
    joinFields([key.sshBlob, Buffer.concat([body, padding])]),
  ])
  const lines = whole.toString('base64').match(new RegExp(`.{1,${lineLength}}`, 'g')) ?? []
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`
}

function privateFields(key: PublicKey, privateKey: KeyObject): Buffer {
  const jwk = privateKey.export({ format: 'jwk' })
  const number = (text: string | undefined) => Buffer.from(text ?? '', 'base64url')
  const algorithm = Buffer.from(key.algorithm)
  const [, ...publicFields] = splitFields(key.sshBlob) ?? []
  if (key.algorithm === 'ssh-rsa') {
    const numbers = [jwk.n, jwk.e, jwk.d, jwk.qi, jwk.p, jwk.q]
    return joinFields([algorithm, ...numbers.map((text) => mpint(number(text)))])
  }
  if (key.algorithm === 'ssh-ed25519') {
    const [point = Buffer.alloc(0)] = publicFields
    return joinFields([algorithm, point, Buffer.concat([number(jwk.d), point])])
  }
  return joinFields([algorithm, ...publicFields, mpint(number(jwk.d))])
}
