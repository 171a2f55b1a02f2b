import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseAuthorizedKeys } from '../../src/identity/authorized-keys.ts'
import { generateKeyPair } from '../../src/identity/keys.ts'
import { parseKnownHosts } from '../../src/identity/known-hosts.ts'

function host(): { line: string; blob: Buffer } {
  const line = generateKeyPair().publicLine
  const [key] = parseAuthorizedKeys(line).keys
  return { line, blob: key!.sshBlob }
}
const first = host()
const second = host()

function hashed(name: string): string {
  const salt = Buffer.from('twenty bytes of salt')
  const hash = createHmac('sha1', salt).update(name).digest('base64')
  return `|1|${salt.toString('base64')}|${hash}`
}

test('a key is known for exactly the hosts and ports it is listed with', () => {
  const table: readonly (readonly [string, string, number, boolean])[] = [
    ['nas.example', 'nas.example', 22, true],
    ['nas.example', 'NAS.example', 22, true],
    ['nas.example', 'nas.example', 2222, false],
    ['nas.example', 'nasXexample', 22, false],
    ['nas.example', 'other.nas.example', 22, false],
    ['[nas.example]:2222', 'nas.example', 2222, true],
    ['[nas.example]:2222', 'nas.example', 22, false],
    ['a,b', 'b', 22, true],
    ['*.example', 'nas.example', 22, true],
    ['*.example,!bad.example', 'bad.example', 22, false],
    ['10.0.0.?', '10.0.0.7', 22, true],
    ['10.0.0.?', '10.0.0.77', 22, false],
    ['::1', '::1', 22, true],
    [hashed('nas.example'), 'nas.example', 22, true],
    [hashed('nas.example'), 'other.example', 22, false],
    [hashed('[nas.example]:2222'), 'nas.example', 2222, true],
    ['|2|AAAA|AAAA', 'nas.example', 22, false],
  ]
  for (const [names, name, port, isKnown] of table) {
    const known = parseKnownHosts(`# comment\n\n${names} ${first.line}\r\n`)
    expect(known.refusals).toEqual([])
    const what = `${names} ${name}:${port}`
    expect(known.judge(name, port, first.blob), what).toBe(isKnown ? 'known' : 'unknown')
    expect(known.judge(name, port, second.blob), what).toBe(isKnown ? 'changed' : 'unknown')
    expect(known.keyTypes(name, port), what).toEqual(isKnown ? ['ssh-ed25519'] : [])
  }
})

test('a revoked key is refused whatever other lines say', () => {
  const text = `nas ${first.line}\n@revoked * ${first.line}\nnas ${second.line}`
  const known = parseKnownHosts(text)
  expect(known.judge('nas', 22, first.blob)).toBe('revoked')
  expect(known.judge('nas', 22, second.blob)).toBe('known')
  expect(parseKnownHosts(`@revoked * ${first.line}`).keyTypes('nas', 22)).toEqual([])
})

test('lines that are not understood are named and the rest counts', () => {
  const known = parseKnownHosts(
    `@cert-authority * ${first.line}\nnas\nnas ssh-dss AAAA\nnas ${first.line}`,
  )
  expect(known.refusals.map((refusal) => refusal.line)).toEqual([1, 2, 3])
  expect(known.judge('nas', 22, first.blob)).toBe('known')
})
