import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { generateKeyPair } from '../../src/identity/keys.ts'
import { AuthorizedKeys } from '../../src/identity/trust.ts'

const first = generateKeyPair().publicLine
const second = generateKeyPair().publicLine

let directory: string
let path: string
let logged: string[]
let trust: AuthorizedKeys

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'synd-trust-'))
  path = join(directory, 'authorized_keys')
  logged = []
  trust = new AuthorizedKeys({ path, log: (_, message) => logged.push(message), pollMs: 10 })
})
afterEach(() => {
  trust.stop()
  rmSync(directory, { recursive: true })
})

function fingerprints(): string[] {
  return trust.current().map((key) => key.fingerprint)
}

test('a missing, empty or unusable file stops the start', () => {
  expect(() => trust.start()).toThrow(/does not exist/)
  writeFileSync(path, '\n')
  expect(() => trust.start()).toThrow(/holds no key/)
  expect(() => new AuthorizedKeys({ path: directory, log: () => {} }).start()).toThrow(/not a file/)
})

test('a change of the file is taken over, and told once', async () => {
  writeFileSync(path, `${first}\n`)
  trust.start()
  const before = fingerprints()
  let changes = 0
  trust.onChange(() => changes++)
  writeFileSync(path, `${first}\n${second}\nssh-dss AAAA\n`)
  await vi.waitFor(() => expect(trust.current()).toHaveLength(2), 10_000)
  expect(trust.has(before[0]!)).toBe(true)
  writeFileSync(path, `${second}\n`)
  await vi.waitFor(() => expect(trust.current()).toHaveLength(1), 10_000)
  expect(trust.has(before[0]!)).toBe(false)
  expect(changes).toBe(2)
  expect(logged).toContain('line of authorized_keys refused')
})

test('a swapped symlink on the way to the file is a change, as Kubernetes makes it', async () => {
  for (const [name, line] of [
    ['1', first],
    ['2', second],
  ] as const) {
    mkdirSync(join(directory, name))
    writeFileSync(join(directory, name, 'authorized_keys'), line)
  }
  symlinkSync('1', join(directory, '..data'))
  symlinkSync(join('..data', 'authorized_keys'), path)
  trust.start()
  const before = fingerprints()
  symlinkSync('2', join(directory, '..new'))
  renameSync(join(directory, '..new'), join(directory, '..data'))
  await vi.waitFor(() => expect(fingerprints()).not.toEqual(before), 10_000)
})

test('a file emptied or removed while running admits nobody, until it is back', async () => {
  writeFileSync(path, first)
  trust.start()
  writeFileSync(path, '# nobody\n')
  await vi.waitFor(() => expect(fingerprints()).toEqual([]), 10_000)
  expect(logged).toContain('authorized_keys admits nobody')
  writeFileSync(path, first)
  await vi.waitFor(() => expect(fingerprints()).toHaveLength(1), 10_000)
  rmSync(path)
  await vi.waitFor(() => expect(fingerprints()).toEqual([]), 10_000)
})

test('a file that cannot be read while running leaves the keys as they were', async () => {
  writeFileSync(path, first)
  trust.start()
  rmSync(path)
  mkdirSync(path)
  await vi.waitFor(
    () => expect(logged).toContain('authorized_keys cannot be read; the keys known stay'),
    10_000,
  )
  expect(fingerprints()).toHaveLength(1)
})
