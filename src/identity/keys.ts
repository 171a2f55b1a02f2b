import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import ssh2 from 'ssh2'
import type { KeyFingerprint } from '../core/credentials.ts'
import { SyndError } from '../core/errors.ts'
import { publicKeyOf, publicLine, type PublicKey } from './public-key.ts'
import { formatPrivateKey } from './ssh-private-key.ts'

/** This peer's key pair. */
export interface PrivateKey {
  readonly fingerprint: KeyFingerprint
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  /** The private key in OpenSSH's format without passphrase: text that ssh2 takes, whatever the file was. */
  readonly sshPem: string
  /** What peers put into their authorized_keys. */
  readonly sshPublicLine: string
}

/** A 16,384-bit RSA key is 13 KB of PEM; what is larger is no key. */
const maxKeyFileBytes = 64 * 1024
/** Read by others, written by group or others. */
const refusedModeBits = 0o026
const setting = 'SYND_SSH_KEY'
const expected = 'an ed25519, RSA (2,048 bits and more) or ECDSA private key'

/**
 * Reads this peer's private key: OpenSSH's format, PKCS#8 or the older PEM forms, encrypted or not. Throws `bad-key` with one
 * line for the operator.
 */
export function loadPrivateKey(path: string, options: { passphrase?: string } = {}): PrivateKey {
  const text = readKeyFile(path)
  if (!text.includes('PRIVATE KEY-----')) {
    const what = /^(ssh-|ecdsa-|-----BEGIN PUBLIC|---- BEGIN SSH2 PUBLIC)/.test(text)
      ? 'a public key'
      : 'no key'
    throw badKey(path, `is ${what}; expected ${expected}, such as \`ssh-keygen -t ed25519\` makes`)
  }
  const privateKey = parsePrivateKey(path, text, options.passphrase)
  const key = publicKeyOf(privateKey)
  if (typeof key === 'string') throw badKey(path, `is a ${key}; expected ${expected}`)
  return privateKeyOf(key, privateKey, '')
}

/** A new ed25519 key pair, as texts for `id_ed25519` and `id_ed25519.pub`. */
export function generateKeyPair(options: { comment?: string } = {}): {
  readonly privateKeyText: string
  readonly publicLine: string
} {
  const { privateKey } = generateKeyPairSync('ed25519')
  const key = publicKeyOf(privateKey)
  if (typeof key === 'string') throw new SyndError('bad-key', `generated ${key}`)
  const { sshPem, sshPublicLine } = privateKeyOf(key, privateKey, options.comment ?? '')
  return { privateKeyText: sshPem, publicLine: sshPublicLine }
}

function privateKeyOf(key: PublicKey, privateKey: KeyObject, comment: string): PrivateKey {
  return {
    fingerprint: key.fingerprint,
    publicKey: key.publicKey,
    privateKey,
    sshPem: formatPrivateKey(key, privateKey, comment),
    sshPublicLine: publicLine(key, comment),
  }
}

function readKeyFile(path: string): string {
  let file: number
  try {
    // Not blocking: a FIFO would keep the start waiting for ever.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    throw badKey(path, openRefusal(cause), cause)
  }
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw badKey(path, `is not a file; expected ${expected}`)
    if ((stat.mode & refusedModeBits) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, '0')
      throw badKey(
        path,
        `has mode ${mode}: others can read it, or more than its owner can write it; run: chmod 600 ${path}`,
      )
    }
    if (stat.size > maxKeyFileBytes)
      throw badKey(path, `has ${stat.size} bytes; expected ${expected}`)
    return readFileSync(file, 'latin1').trim()
  } finally {
    closeSync(file)
  }
}

function openRefusal(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT') return 'does not exist; make a key pair with `synd keygen`'
  if (code === 'EACCES') return 'may not be read by this user; give it to the user that runs synd'
  return `cannot be opened (${String(code)})`
}

function parsePrivateKey(path: string, text: string, passphrase: string | undefined): KeyObject {
  // Node reads PKCS#8 and the older PEM forms, ssh2 OpenSSH's own.
  const isOpenSsh = text.includes('BEGIN OPENSSH PRIVATE KEY')
  try {
    const pem = isOpenSsh ? decodeOpenSsh(text, passphrase) : text
    return createPrivateKey({
      key: pem,
      format: 'pem',
      ...(passphrase === undefined || isOpenSsh ? {} : { passphrase }),
    })
  } catch (cause) {
    throw badKey(path, parseRefusal(text, passphrase, cause), cause)
  }
}

function decodeOpenSsh(text: string, passphrase: string | undefined): string {
  const parsed = ssh2.utils.parseKey(text, passphrase)
  if (parsed instanceof Error) throw parsed
  return parsed.getPrivatePEM()
}

function parseRefusal(text: string, passphrase: string | undefined, cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : ''
  const isEncrypted =
    /ENCRYPTED/.test(text) || /passphrase|bad decrypt|MISSING_PASSPHRASE/i.test(reason)
  if (isEncrypted && passphrase === undefined) {
    return 'is encrypted; name the file with its passphrase in SYND_SSH_KEY_PASSPHRASE_FILE'
  }
  if (isEncrypted || (passphrase !== undefined && /authenticate|wrong/i.test(reason))) {
    return 'does not open with the passphrase in SYND_SSH_KEY_PASSPHRASE_FILE'
  }
  if (/unsupported/i.test(reason)) return `is of an unsupported kind; expected ${expected}`
  return `is damaged; expected ${expected}`
}

function badKey(path: string, reason: string, cause?: unknown): SyndError {
  return new SyndError('bad-key', `${setting}: ${path} ${reason}`, { cause })
}
