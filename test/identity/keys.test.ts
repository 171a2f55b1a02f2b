import { execFileSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SyndError } from '../../src/core/errors.ts'
import { parseAuthorizedKeys } from '../../src/identity/authorized-keys.ts'
import { generateKeyPair, loadPrivateKey } from '../../src/identity/keys.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'synd-keys-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

let files = 0
function keyFile(text: string, mode = 0o600): string {
  const path = join(directory, `key-${files++}`)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

function refusal(load: () => unknown): string {
  try {
    load()
  } catch (error) {
    expect(error).toBeInstanceOf(SyndError)
    if (error instanceof SyndError) {
      expect(error.code).toBe('bad-key')
      expect(error.message).not.toContain('\n')
      expect(error.message).toMatch(/^SYND_SSH_KEY: /)
      return error.message
    }
  }
  throw new Error('nothing was refused')
}

const hasSshKeygen = (() => {
  try {
    execFileSync('ssh-keygen', ['-?'], { stdio: 'ignore' })
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT')
  }
})()

const sshKinds = [
  ['ed25519', []],
  ['rsa', ['-b', '2048']],
  ['ecdsa', ['-b', '256']],
  ['ecdsa', ['-b', '384']],
  ['ecdsa', ['-b', '521']],
] as const

describe.runIf(hasSshKeygen)('keys that ssh-keygen made', () => {
  const forms = [
    ['OpenSSH', []],
    ['PKCS8', ['-m', 'PKCS8']],
    ['PEM', ['-m', 'PEM']],
  ] as const
  for (const [type, bits] of sshKinds) {
    for (const [form, formOptions] of forms) {
      for (const passphrase of ['', 'open sesame']) {
        const name = `${type} ${bits.join('')} as ${form}${passphrase === '' ? '' : ', encrypted'}`
        test(`${name} is read, and ssh2 takes what is made of it`, () => {
          const path = join(directory, `ssh-keygen-${files++}`)
          const options = ['-q', '-t', type, ...bits, ...formOptions, '-N', passphrase, '-f', path]
          execFileSync('ssh-keygen', options)
          const key = loadPrivateKey(path, passphrase === '' ? {} : { passphrase })

          const publicLine = readFileSync(`${path}.pub`, 'utf8').trim()
          expect(publicLine.startsWith(key.sshPublicLine)).toBe(true)
          const [authorized] = parseAuthorizedKeys(publicLine).keys
          expect(authorized?.fingerprint).toBe(key.fingerprint)

          const digest = type === 'ed25519' ? null : 'sha256'
          const signature = sign(digest, Buffer.from('text'), key.privateKey)
          expect(verify(digest, Buffer.from('text'), authorized!.publicKey, signature)).toBe(true)

          const forSsh2 = ssh2.utils.parseKey(key.sshPem)
          if (forSsh2 instanceof Error) throw forSsh2
          expect(forSsh2.getPublicSSH()).toEqual(authorized?.sshBlob)
          expect(forSsh2.isPrivateKey()).toBe(true)
        })
      }
    }
  }

  test('the OpenSSH text of every kind is read by ssh-keygen', () => {
    for (const pair of [
      generateKeyPairSync('ed25519'),
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      generateKeyPairSync('ec', { namedCurve: 'P-521' }),
    ]) {
      const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      const key = loadPrivateKey(keyFile(pem))
      const line = execFileSync('ssh-keygen', ['-y', '-f', keyFile(key.sshPem)], {
        encoding: 'utf8',
      })
      expect(line.trim()).toBe(key.sshPublicLine)
    }
  })
})

test('a generated pair loads, and its public line names the same key', () => {
  const pair = generateKeyPair({ comment: 'synd@host-a' })
  const key = loadPrivateKey(keyFile(pair.privateKeyText))
  const [authorized] = parseAuthorizedKeys(pair.publicLine).keys
  expect(authorized?.fingerprint).toBe(key.fingerprint)
  expect(authorized?.comment).toBe('synd@host-a')
  expect(key.fingerprint).toMatch(/^[0-9a-f]{64}$/)
  expect(createPublicKey(key.privateKey).equals(authorized!.publicKey)).toBe(true)
})

describe('what is refused, in one line', () => {
  const { privateKeyText, publicLine } = generateKeyPair()

  test('a key that others can read or that group or others can write', () => {
    for (const mode of [0o644, 0o604, 0o620, 0o602, 0o660, 0o666]) {
      const path = keyFile(privateKeyText, mode)
      expect(refusal(() => loadPrivateKey(path))).toContain(`chmod 600 ${path}`)
    }
  })

  test('but not one that its group can read, as in Kubernetes with fsGroup', () => {
    for (const mode of [0o600, 0o400, 0o640, 0o440]) {
      expect(loadPrivateKey(keyFile(privateKeyText, mode)).sshPublicLine).toBe(publicLine)
    }
  })

  test('the modes that count are those of the file a symlink leads to', () => {
    const link = join(directory, 'link')
    symlinkSync(keyFile(privateKeyText, 0o400), link)
    expect(loadPrivateKey(link).sshPublicLine).toBe(publicLine)
  })

  test('a file that is not there, a directory, a FIFO, an empty file, a public key, noise', () => {
    const fifo = join(directory, 'fifo')
    execFileSync('mkfifo', ['-m', '600', fifo])
    expect(refusal(() => loadPrivateKey(join(directory, 'none')))).toContain('does not exist')
    expect(refusal(() => loadPrivateKey(directory))).toMatch(/not a file/)
    expect(refusal(() => loadPrivateKey(fifo))).toMatch(/not a file/)
    expect(refusal(() => loadPrivateKey(keyFile('')))).toContain('is no key')
    expect(refusal(() => loadPrivateKey(keyFile(publicLine)))).toContain('is a public key')
    expect(refusal(() => loadPrivateKey(keyFile('x'.repeat(100_000))))).toContain('100000 bytes')
    const damaged = privateKeyText.replace(/\n(.{40}).*\n/, '\n$1\n')
    expect(refusal(() => loadPrivateKey(keyFile(damaged)))).toContain('damaged')
  })

  test('an encrypted key without or with another passphrase', () => {
    const options = {
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'a',
    } as const
    const pem = generateKeyPairSync('ed25519').privateKey.export(options).toString()
    const path = keyFile(pem)
    expect(refusal(() => loadPrivateKey(path))).toContain('SYND_SSH_KEY_PASSPHRASE_FILE')
    expect(refusal(() => loadPrivateKey(path, { passphrase: 'b' }))).toContain('does not open')
    expect(loadPrivateKey(path, { passphrase: 'a' }).fingerprint).toMatch(/^[0-9a-f]{64}$/)
  })

  test.runIf(hasSshKeygen)('an encrypted OpenSSH key without or with another passphrase', () => {
    for (const cipher of ['aes256-ctr', 'aes256-gcm@openssh.com']) {
      const path = join(directory, `encrypted-${cipher}`)
      const options = ['-q', '-t', 'ed25519', '-Z', cipher, '-N', 'sesame', '-f', path]
      execFileSync('ssh-keygen', options)
      expect(refusal(() => loadPrivateKey(path))).toContain('is encrypted')
      expect(refusal(() => loadPrivateKey(path, { passphrase: 'b' }))).toContain('does not open')
      expect(loadPrivateKey(path, { passphrase: 'sesame' }).sshPublicLine).toContain('ssh-ed25519')
    }
  })

  test('keys of other kinds and RSA keys too short for TLS', () => {
    for (const pair of [
      generateKeyPairSync('ed448'),
      generateKeyPairSync('x25519'),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('rsa', { modulusLength: 1024 }),
    ]) {
      const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      expect(refusal(() => loadPrivateKey(keyFile(pem)))).toContain('expected an ed25519')
    }
  })
})
