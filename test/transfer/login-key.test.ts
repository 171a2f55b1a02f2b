import { expect, test } from 'vitest'
import { loginKey } from '../../src/transfer/sink/login-key.ts'
import { makeKey } from './keys.ts'

test('an RSA key signs with SHA-2, and never with SHA-1', () => {
  const key = loginKey(makeKey('rsa').sshPem)
  const text = Buffer.from('text')
  expect(key.verify(text, key.sign(text, 'sha256'), 'sha256')).toBe(true)
  expect(key.verify(text, key.sign(text, 'sha512'), 'sha512')).toBe(true)
  expect(key.sign(text, 'sha1')).toEqual(Buffer.alloc(0))
})

test.each(['ed25519', 'ecdsa'] as const)('an %s key signs as it does', (kind) => {
  const key = loginKey(makeKey(kind).sshPem)
  const text = Buffer.from('text')
  expect(key.verify(text, key.sign(text))).toBe(true)
})
