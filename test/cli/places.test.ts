import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { generateKeyPair } from '../../src/identity/keys.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { realVolume } from '../support/real-volume.ts'
import { synd } from './synd.ts'

let directory = ''
let volume = ''
let remove = (): void => {}

beforeEach(() => {
  ;({ path: directory, remove } = temporaryDirectory())
  volume = join(directory, 'volume')
  mkdirSync(volume)
  const keyText = generateKeyPair().privateKeyText
  const line = `${generateKeyPair().publicLine}\n`
  for (const place of [directory, volume]) {
    writeFileSync(join(place, 'key'), keyText, { mode: 0o600 })
    writeFileSync(join(place, 'authorized_keys'), line)
  }
  mkdirSync(join(volume, 'state'))
  symlinkSync(volume, join(directory, 'link'))
})

afterEach(() => remove())

/** What `config check` says with these settings changed; null: nothing, and the code is 0. */
async function complaint(changes: Readonly<Record<string, string>>): Promise<string | null> {
  const flags = {
    volume,
    'ssh-key': join(directory, 'key'),
    'ssh-authorized-keys': join(directory, 'authorized_keys'),
    peers: 'host-b',
    ...changes,
  }
  const words = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
  const { code, complained } = await synd('config', 'check', ...words)
  if (code === 0) return null
  expect(code).toBe(78)
  expect(complained).toHaveLength(1)
  return (complained[0] ?? '').replaceAll(directory, 'DIR')
}

describe('what must not be synced lies outside the volume, symlinks followed', () => {
  const outside = /expected a file outside SYND_VOLUME \(DIR\/\w+\), where the peers would get it/

  test.each([
    ['ssh-key', 'key'],
    ['ssh-authorized-keys', 'authorized_keys'],
    ['ssh-known-hosts', 'hosts'],
    ['ssh-key-passphrase-file', 'passphrase'],
    ['tls-cert', 'cert'],
    ['tls-key', 'key'],
    ['tls-ca', 'ca'],
  ])('--%s', async (flag, name) => {
    symlinkSync(join(volume, name), join(directory, 'straight'))
    symlinkSync('straight', join(directory, 'further'))
    symlinkSync(join(directory, 'key'), join(volume, 'out'))
    const inside = [`${directory}/straight`, `${directory}/further`, `${directory}/link/${name}`]
    for (const path of [...inside, `${directory}/link/no/such/${name}`, `${directory}/link/out`])
      expect(await complaint({ [flag]: path }), path).toMatch(outside)
    expect(await complaint({ [flag]: `${volume}/${name}`, volume: `${directory}/link` })).toMatch(
      outside,
    )
  })

  test('the state directory', async () => {
    symlinkSync(join(volume, 'state'), join(directory, 'state'))
    for (const path of ['state', 'state/new', 'link/state', 'link/new', 'volume/new'])
      expect(await complaint({ 'state-dir': join(directory, path) }), path).toMatch(
        /--state-dir is ".*": expected a directory outside SYND_VOLUME \(DIR\/volume\), where it would be synced/,
      )
    const changes = { 'state-dir': `${volume}/state`, volume: `${directory}/link` }
    expect(await complaint(changes)).toContain(' (DIR/link), where it would be synced')
  })

  test('a link that ends outside, a loop, and .synd by any name are no reason', async () => {
    symlinkSync(join(directory, 'key'), join(directory, 'key-link'))
    expect(await complaint({ 'ssh-key': `${directory}/key-link` })).toBeNull()
    expect(await complaint({ volume: `${directory}/link` })).toBeNull()
    expect(await complaint({ 'state-dir': `${volume}/.synd` })).toBeNull()
    expect(await complaint({ 'state-dir': `${directory}/link/.synd` })).toBeNull()
    symlinkSync('loop', join(directory, 'loop'))
    expect(await complaint({ 'ssh-key': `${directory}/loop` })).toMatch(/SYND_SSH_KEY: .*ELOOP/)
  })
})

describe('a state directory that cannot be used is 78 and named', () => {
  const check = (path: string) => complaint({ 'state-dir': path })

  test('in what Synd itself keeps in .synd', async () => {
    const opened = realVolume(volume)
    await opened.open()
    const names = readdirSync(join(volume, '.synd'))
    await opened[Symbol.asyncDispose]()
    expect(names).toEqual(expect.arrayContaining(['staging', 'hold', 'granted', 'volume-id']))
    symlinkSync(join(volume, '.synd', 'hold'), join(directory, 'hold'))
    const more = ['lock', 'quarantine', 'quarantine.7', 'staging/a/b']
    const paths = [...names, ...more].map((name) => join(volume, '.synd', name))
    for (const path of [...paths, join(directory, 'hold'), join(directory, 'link/.synd/staging')])
      expect(await check(path), path).toMatch(
        /SYND_STATE_DIR: ".*" is in what Synd uses itself in .synd.*; expected a directory/,
      )
    expect(await check(join(volume, '.synd', 'mine'))).toBeNull()
  })

  test('a file, below a file, below nothing, a symlink to nothing', async () => {
    expect(await check(`${directory}/key`)).toBe(
      'synd: SYND_STATE_DIR: "DIR/key" is no directory; expected a directory that Synd may write, or a name for one in a directory that is there: correct it, or leave it out for the default (DIR/volume/.synd)',
    )
    expect(await check(`${directory}/key/below`)).toContain('below something that is no directory')
    expect(await check(`${directory}/no/such`)).toContain('cannot be made: there is no DIR/no')
    symlinkSync('nothing', join(directory, 'dangling'))
    expect(await check(`${directory}/dangling`)).toContain('is a symlink to nothing')
  })

  test('one that is still to be made is fine, and not made by who only checks', async () => {
    expect(await check(`${directory}/new`)).toBeNull()
    expect(existsSync(`${directory}/new`)).toBe(false)
    // The run makes .synd first.
    expect(await check(`${volume}/.synd/new`)).toBeNull()
    expect(existsSync(`${volume}/.synd`)).toBe(false)
  })
})
