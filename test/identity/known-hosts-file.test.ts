import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { parseAuthorizedKeys } from '../../src/identity/authorized-keys.ts'
import { generateKeyPair } from '../../src/identity/keys.ts'
import { KnownHostsFile } from '../../src/identity/known-hosts-file.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const line = generateKeyPair().publicLine
const blob = parseAuthorizedKeys(line).keys[0]?.sshBlob ?? Buffer.alloc(0)

let directory: ReturnType<typeof temporaryDirectory>
let path: string
let logged: string[]
let file: KnownHostsFile

beforeEach(() => {
  directory = temporaryDirectory()
  path = join(directory.path, 'known_hosts')
  logged = []
  file = new KnownHostsFile({ path, log: (_, message) => logged.push(message), pollMs: 10 })
})
afterEach(() => {
  file.stop()
  directory.remove()
})

test('a change of the file is taken over, and told', async () => {
  writeFileSync(path, `nas ${line}\n`)
  file.start()
  let changes = 0
  file.onChange(() => changes++)
  expect(file.judge('nas', 22, blob)).toBe('known')
  writeFileSync(path, `nas ${line}\n@revoked * ${line}\nnas ssh-dss AAAA\n`)
  await vi.waitFor(() => expect(file.judge('nas', 22, blob)).toBe('revoked'), 10_000)
  expect(changes).toBe(1)
  expect(logged).toEqual(['a line of known_hosts is not understood', 'known hosts'])
})

test('a file that is not there stops the start, and one that goes leaves what is known', async () => {
  expect(() => file.start()).toThrow(/SYND_SSH_KNOWN_HOSTS: cannot read .*ENOENT/)
  writeFileSync(path, `nas ${line}\n`)
  file.start()
  rmSync(path)
  await vi.waitFor(() => expect(logged.join()).toContain('cannot be read'), 10_000)
  expect(file.keyTypes('nas', 22)).toEqual(['ssh-ed25519'])
})

test('without a file nobody is known', () => {
  const none = new KnownHostsFile({ path: null, log: () => {} })
  none.start()
  expect(none.judge('nas', 22, blob)).toBe('unknown')
  none.stop()
})
