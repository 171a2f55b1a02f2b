import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { cryptoKind } from '../../src/transfer/algorithms.ts'
import { run } from './tools.ts'

const isNative = cryptoKind() === 'native'

test('the native crypto is there in CI', () => {
  if (process.env['CI'] === 'true') expect(cryptoKind()).toBe('native')
  else expect(['native', 'javascript']).toContain(cryptoKind())
})

test.skipIf(!isNative)('the native crypto survives that its objects are collected', async () => {
  const require = createRequire(import.meta.url)
  const binding = require.resolve('ssh2/lib/protocol/crypto/build/Release/sshcrypto.node')
  expect(readFileSync(binding).includes('RemoveEnvironmentCleanupHook')).toBe(false)
  const program = `
    const { AESGCMDecipher } = require(process.argv[1])
    const make = () => new AESGCMDecipher('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12))
    for (let count = 0; count < 100000; count++) make()
    setTimeout(() => {
      let garbage = []
      for (let count = 0; count < 1000000; count++) garbage.push({ count })
      setTimeout(() => console.log('alive'), 100)
    }, 1)
  `
  const result = await run(process.execPath, ['-e', program, binding])
  expect(result).toEqual({ code: 0, stdout: 'alive\n', stderr: '' })
})
