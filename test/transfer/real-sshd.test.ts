import { mkdirSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { nastyNames } from '../support/nasty-names.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { collect } from './collect.ts'
import { makeKey } from './keys.ts'
import { startTransfer } from './peers.ts'
import { startSshd } from './sshd.ts'
import { describeWith } from './tools.ts'
import { volumeSource } from './volume-source.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop()
})

async function stock(settings: readonly string[] = []) {
  const member = makeKey()
  const directory = temporaryDirectory()
  cleanups.push(directory.remove)
  // A name that a shell would take apart.
  const root = join(directory.path, "the volume's")
  mkdirSync(root)
  const sshd = await startSshd({ member, root, settings })
  cleanups.push(sshd.stop)
  const sink = startTransfer({
    key: member,
    isKnownHost: (host, port, blob) =>
      host === '127.0.0.1' && port === sshd.port && blob.equals(sshd.hostKey.sshBlob),
  })
  cleanups.push(() => sink.transfer.stop())
  return { ...sshd, transfer: sink.transfer, record: sink.record, volume: volumeSource(root), root }
}

describeWith(['sshd', 'scp'], 'a stock OpenSSH server as source', () => {
  test('serves every name there is, several an exec', async () => {
    const peer = await stock()
    const requests = nastyNames.map((name, index) => peer.volume.put(`dir/${name}`, `n${index}`))
    const result = await collect(peer.transfer, peer.target, requests)
    expect([result.error, ...result.kinds]).toEqual([null, ...nastyNames.map(() => 'pulled')])
    expect(result.contents.map(String)).toEqual(nastyNames.map((_, index) => `n${index}`))
    expect(peer.record.rejections).toEqual([])
  })

  test('serves 500 files and a large one', async () => {
    const peer = await stock()
    const large = Buffer.alloc(8_000_000, 'large ')
    const requests = Array.from({ length: 500 }, (_, index) =>
      peer.volume.put(`d/f${index}`, index === 250 ? large : `${index}`),
    )
    const result = await collect(peer.transfer, peer.target, requests)
    expect(result.error).toBe(null)
    expect(result.messages.filter((text) => text !== '')).toEqual([])
    expect(new Set(result.kinds)).toEqual(new Set(['pulled']))
    expect(result.contents[250]?.equals(large)).toBe(true)
  })

  test('says what is not there; what is something else by now is not taken', async () => {
    const peer = await stock()
    const put = (path: string) => peer.volume.put(path, 'content')
    const requests = ['a', 'gone', 'directory', 'longer', 'other', 'z'].map(put)
    unlinkSync(join(peer.root, 'gone'))
    unlinkSync(join(peer.root, 'directory'))
    mkdirSync(join(peer.root, 'directory'))
    peer.volume.write('longer', 'more content')
    peer.volume.write('other', 'CONTENT')
    const result = await collect(peer.transfer, peer.target, requests)
    expect(result.kinds).toEqual([
      'pulled',
      'superseded',
      'superseded',
      'source-mismatch',
      'source-mismatch',
      'pulled',
    ])
    expect(result.left).toBe(0)
    expect(peer.record.rejections).toEqual(['scp:record', 'scp:content'])
  })

  test.each([1, 2])('with MaxSessions %i serves many pulls at once', async (sessions) => {
    const peer = await stock([`MaxSessions ${sessions}`])
    const pulls = Array.from({ length: 6 }, (_, pull) =>
      Array.from({ length: 3 }, (_, index) => peer.volume.put(`p${pull}f${index}`, `${pull}`)),
    )
    const results = await Promise.all(
      pulls.map((requests) => collect(peer.transfer, peer.target, requests)),
    )
    expect(results.map((result) => result.error)).toEqual(pulls.map(() => null))
    expect(results.flatMap((result) => result.kinds)).toEqual(pulls.flat().map(() => 'pulled'))
  })

  test('may exchange keys often', async () => {
    const peer = await stock(['RekeyLimit 64K'])
    const content = Buffer.alloc(6_000_000, 'rekey ')
    const result = await collect(peer.transfer, peer.target, [peer.volume.put('a', content)])
    expect(result.contents[0]?.equals(content)).toBe(true)
  })

  test.each([
    ['internal-sftp alone', ['ForceCommand internal-sftp'], /sends no files|instead of a file/],
    ['no scp', ['SetEnv PATH=/nonexistent'], /scp.*not found.*exit status 127/],
    [
      'a greeting from a shell start-up file',
      ['ForceCommand echo Welcome back; eval "$SSH_ORIGINAL_COMMAND"'],
      /"Welcome back.*" instead of a file/,
    ],
    ['no commands at all', ['ForceCommand /bin/false'], /exit status 1/],
  ])('with %s says why', async (_, settings, words) => {
    const peer = await stock(settings)
    const requests = [peer.volume.put('a', 'content'), peer.volume.put('b', 'content')]
    const result = await collect(peer.transfer, peer.target, requests)
    expect(`${result.errorText} ${result.messages.join(' ')}`).toMatch(words)
    expect(result.kinds).not.toContain('pulled')
    expect(result.left).toBe(0)
  })

  test('with a host key that is not known is not logged in to', async () => {
    const peer = await stock()
    const other = startTransfer({ isKnownHost: () => false })
    cleanups.push(() => other.transfer.stop())
    const requests = [peer.volume.put('a', 'content')]
    const result = await collect(other.transfer, peer.target, requests)
    expect(result.error).toBe('untrusted')
    expect(result.errorText).toContain('SYND_SSH_KNOWN_HOSTS')
    expect(other.record.rejections).toEqual(['scp:host-key'])
    expect(peer.log()).not.toContain('Accepted')
  })

  test('that refuses our key is not asked again before a while', async () => {
    const peer = await stock()
    const stranger = startTransfer({ isKnownHost: () => true })
    cleanups.push(() => stranger.transfer.stop())
    const requests = [peer.volume.put('a', 'content')]
    for (let attempt = 0; attempt < 3; attempt++) {
      const result = await collect(stranger.transfer, peer.target, requests)
      expect(result.error).toBe('untrusted')
      expect(result.errorText).toContain('authorized_keys')
    }
    const attempts = peer.log().match(/Connection (reset|closed) by (authenticating|invalid) user/g)
    expect(attempts?.length ?? 0).toBeLessThanOrEqual(1)
  })

  test('whose volume is gone is no reason to hang', async () => {
    const peer = await stock()
    const requests = [peer.volume.put('a', 'content')]
    rmSync(peer.root, { recursive: true })
    expect((await collect(peer.transfer, peer.target, requests)).kinds).toEqual(['superseded'])
  })
})
