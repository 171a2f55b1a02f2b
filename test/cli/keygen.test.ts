import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parsePublicLine } from '../../src/identity/authorized-keys.ts'
import { loadPrivateKey } from '../../src/identity/keys.ts'
import { synd } from './synd.ts'

let directory = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'synd-keygen-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}

test('a new pair is readable for its owner only, and the line for the peers is all that is printed', async () => {
  const out = join(directory, 'new', 'ssh')
  const { code, printed, complained } = await synd('keygen', '--out', out, '--peer-name', 'host-a')
  expect(code).toBe(0)
  expect(modeOf(out)).toBe(0o700)
  expect(modeOf(join(out, 'id_ed25519'))).toBe(0o600)
  expect(readdirSync(out).sort()).toEqual(['id_ed25519', 'id_ed25519.pub'])
  expect(printed).toHaveLength(1)
  expect(printed[0]).toMatch(/^ssh-ed25519 \S+ synd@host-a$/)
  expect(readFileSync(join(out, 'id_ed25519.pub'), 'utf8')).toBe(`${printed[0]}\n`)
  expect(parsePublicLine(printed[0] ?? '')).toMatchObject({ algorithm: 'ssh-ed25519' })
  expect(complained).toEqual([
    `synd: made ${out}/id_ed25519; put the line above into authorized_keys of every peer`,
  ])
})

test('the pair fits together', async () => {
  const { printed } = await synd('keygen', '--out', directory)
  const { sshPublicLine } = loadPrivateKey(join(directory, 'id_ed25519'))
  expect(printed[0]).toContain(sshPublicLine.trim().split(' ')[1])
})

test('a pair that is there stays, and its line is printed again with its comment', async () => {
  const first = await synd('keygen', '--out', directory, '--peer-name', 'host-a')
  const key = readFileSync(join(directory, 'id_ed25519'), 'utf8')
  const again = await synd('keygen', '--out', directory, '--peer-name', 'host-b')
  expect(again).toEqual({
    code: 0,
    printed: first.printed,
    complained: [`synd: ${directory}/id_ed25519 exists and was left as it is`],
  })
  expect(readFileSync(join(directory, 'id_ed25519'), 'utf8')).toBe(key)
})

test('a public line that is lost or another one is made from the key', async () => {
  const { printed } = await synd('keygen', '--out', directory)
  const publicFile = join(directory, 'id_ed25519.pub')
  const key = printed[0]?.split(' ').slice(0, 2).join(' ')
  unlinkSync(publicFile)
  expect((await synd('keygen', '--out', directory)).printed).toEqual([key])
  expect(existsSync(publicFile)).toBe(false)
  writeFileSync(publicFile, 'ssh-ed25519 AAAAsomethingelse x\n')
  expect((await synd('keygen', '--out', directory)).printed).toEqual([key])
})

test('without --out the pair goes where SYND_SSH_KEY says', async () => {
  const path = join(directory, 'keys', 'mine')
  expect((await synd('keygen', '--ssh-key', path)).code).toBe(0)
  expect(modeOf(path)).toBe(0o600)
  expect(existsSync(`${path}.pub`)).toBe(true)
})

test('what is there but no key is not touched', async () => {
  const path = join(directory, 'id_ed25519')
  writeFileSync(path, 'important', { mode: 0o600 })
  const { code, printed, complained } = await synd('keygen', '--out', directory)
  expect([code, printed, complained.length]).toEqual([78, [], 1])
  expect(readFileSync(path, 'utf8')).toBe('important')
})

test('a directory that cannot be made is one line', async () => {
  writeFileSync(join(directory, 'file'), '')
  expect(await synd('keygen', '--out', join(directory, 'file', 'ssh'))).toEqual({
    code: 78,
    printed: [],
    complained: [
      `synd: cannot write ${directory}/file/ssh/id_ed25519 (ENOTDIR): choose a directory that this user may write, with --out DIR`,
    ],
  })
})

test('a directory that is there keeps its mode', async () => {
  const out = join(directory, 'shared')
  mkdirSync(out, { mode: 0o755 })
  await synd('keygen', '--out', out)
  expect(modeOf(out)).toBe(0o755)
})
