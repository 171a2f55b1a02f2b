import { expect, test } from 'vitest'
import { parseAuthorizedKeys, requireKeys } from '../../src/identity/authorized-keys.ts'
import { generateKeyPair } from '../../src/identity/keys.ts'

const first = generateKeyPair({ comment: 'host a' }).publicLine
const second = generateKeyPair({ comment: 'host-b' }).publicLine
const dss =
  'ssh-dss AAAAB3NzaC1kc3MAAACBAIiwRVGDtPrrJtT2qR8rZ4TmcXBBn5JlSmGLvKvbPm3g6Wl7MZbyNyU4K8oy host'

test('comments, blank lines, CRLF, tabs, repetitions and the option restrict are understood', () => {
  const text = ['# peers', '', `${first}\r`, `\trestrict ${second}`, `RESTRICT ${first}`].join('\n')
  const list = parseAuthorizedKeys(text)
  expect(list.refusals).toEqual([])
  expect(list.keys.map(({ line, comment }) => [line, comment])).toEqual([
    [3, 'host a'],
    [4, 'host-b'],
  ])
})

const [algorithm = '', base64 = ''] = first.split(' ')
const refused: readonly (readonly [string, string])[] = [
  [`command="echo, \\"hi\\" there",restrict ${first}`, 'option "command"'],
  [`restrict,pty ${first}`, 'option "pty"'],
  [`from="10.0.0.0/8" ${first}`, 'option "from"'],
  [`cert-authority ${first}`, 'option "cert-authority"'],
  [`sk-ssh-ed25519@openssh.com AAAA me`, 'sk-ssh-ed25519@openssh.com'],
  ['sk-ecdsa-sha2-nistp256@openssh.com AAAA me', 'FIDO'],
  ['ssh-ed25519-cert-v01@openssh.com AAAA me', 'ssh-ed25519-cert-v01@openssh.com'],
  [dss, 'ssh-dss'],
  [algorithm, 'malformed'],
  [`${algorithm} ${base64.slice(0, -8)}`, 'malformed'],
  [`${algorithm} ${base64.slice(0, -4)}!!!!`, 'malformed'],
  [`ssh-rsa ${base64} other algorithm`, 'malformed'],
  [
    `${algorithm} ${Buffer.concat([Buffer.from(base64, 'base64'), Buffer.alloc(4)]).toString('base64')}`,
    'malformed',
  ],
  ['-----BEGIN PUBLIC KEY-----', 'option'],
]

test('a refused line is named by its number, and the rest counts', () => {
  for (const [line, reason] of refused) {
    const list = parseAuthorizedKeys(`${second}\n${line}\n${first}\n`)
    expect(list.refusals, line).toEqual([{ line: 2, reason: expect.stringContaining(reason) }])
    expect(
      list.keys.map((key) => key.line),
      line,
    ).toEqual([1, 3])
  }
})

test('a list that admits nobody is an error that says what to do', () => {
  expect(() => requireKeys('/k', parseAuthorizedKeys('# nobody\n'))).toThrow(
    /SYND_SSH_AUTHORIZED_KEYS: \/k holds no key; put the public line/,
  )
  expect(() => requireKeys('/k', parseAuthorizedKeys(`\n${dss}`))).toThrow(/line 2: ssh-dss/)
})
