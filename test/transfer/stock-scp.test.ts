import { chmodSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { quoteWord } from '../../src/transfer/command.ts'
import { nastyNames } from '../support/nasty-names.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { makeKey, type TestKey } from './keys.ts'
import { startSource } from './peers.ts'
import { describeWith, run } from './tools.ts'

describeWith(['scp', 'ssh', 'sftp'], 'a stock OpenSSH client and the embedded source', () => {
  const member = makeKey()
  let peer: Awaited<ReturnType<typeof startSource>>
  let here: ReturnType<typeof temporaryDirectory>

  beforeAll(async () => {
    peer = await startSource({ authorized: [member] })
    here = temporaryDirectory()
    writeKey('member', member)
    writeKey('stranger', makeKey())
    const [type, blob] = peer.key.publicLine.split(' ')
    writeFileSync(join(here.path, 'known'), `[127.0.0.1]:${peer.port} ${type} ${blob}\n`)
  })
  afterAll(async () => {
    await peer.stop()
    here.remove()
  })

  function writeKey(name: string, key: TestKey): void {
    writeFileSync(join(here.path, name), key.sshPem, { mode: 0o600 })
  }

  const settings = (key = 'member'): string[] => {
    const options = [
      'BatchMode=yes',
      'IdentitiesOnly=yes',
      'StrictHostKeyChecking=yes',
      'IdentityAgent=none',
      `UserKnownHostsFile=${join(here.path, 'known')}`,
      'GlobalKnownHostsFile=/dev/null',
      'ConnectTimeout=20',
    ]
    const words = options.flatMap((option) => ['-o', option])
    return ['-F', '/dev/null', '-i', join(here.path, key), ...words]
  }
  const scp = (...args: string[]) =>
    run('scp', ['-O', ...settings(), '-P', String(peer.port), ...args], { cwd: here.path })
  const ssh = (...args: string[]) =>
    run('ssh', [...settings(), '-p', String(peer.port), 'anybody@127.0.0.1', ...args])
  const remote = (path: string): string => `anybody@127.0.0.1:${path}`
  const received = (name: string): Buffer => readFileSync(join(here.path, name))

  test('pulls a file, with and without a slash before it', async () => {
    peer.volume.put('dir/file', 'content')
    for (const path of ['dir/file', '/dir/file']) {
      expect(await scp(remote(path), 'got')).toEqual({ code: 0, stdout: '', stderr: '' })
      expect(received('got').toString()).toBe('content')
    }
  })

  test('pulls with -p: mode and time', async () => {
    peer.volume.write('tool', '#!/bin/sh')
    chmodSync(join(peer.volume.root, 'tool'), 0o750)
    utimesSync(join(peer.volume.root, 'tool'), 1_600_000_000, 1_600_000_000)
    peer.volume.list('tool')
    expect((await scp('-p', remote('tool'), 'tool')).code).toBe(0)
    const stat = statSync(join(here.path, 'tool'))
    expect([stat.mode & 0o777, stat.mtimeMs]).toEqual([0o750, 1_600_000_000_000])
  })

  test('pulls with -v and says what it does', async () => {
    peer.volume.put('verbose', 'content')
    const result = await scp('-v', remote('verbose'), 'verbose')
    expect(result.code).toBe(0)
    expect(result.stderr).toContain('scp -v -f verbose')
    expect(result.stderr).toContain('Sink: C0644 7 verbose')
  })

  test('pulls several files, large and empty ones too', async () => {
    const large = Buffer.alloc(20_000_000, 'large ')
    peer.volume.put('several/a', large)
    peer.volume.put('several/b', '')
    peer.volume.put('several/c', 'c')
    mkdirSync(join(here.path, 'into'))
    const paths = ['several/a', 'several/b', 'several/c']
    expect((await scp(...paths.map(remote), 'into')).code).toBe(0)
    expect(received('into/a').equals(large)).toBe(true)
    expect(received('into/b').length).toBe(0)
    expect(received('into/c').toString()).toBe('c')
  })

  test('pulls every name that is text, quoted for a shell', async () => {
    const names = nastyNames.filter((name) => {
      const bytes = Buffer.from(name, 'latin1')
      return Buffer.from(bytes.toString()).equals(bytes)
    })
    expect(names.length).toBeGreaterThan(25)
    for (const [index, name] of names.entries()) {
      peer.volume.put(`nasty/${name}`, `content ${index}`)
      const path = quoteWord(`/nasty/${Buffer.from(name, 'latin1').toString()}`)
      // -T: it compares the name it gets with the quoted text it was given.
      const result = await scp('-T', remote(path), 'nasty')
      expect([name, result.code, result.stderr]).toEqual([name, 0, ''])
      expect(received('nasty').toString()).toBe(`content ${index}`)
    }
  })

  test('pulls a name with backslashes before what a shell would take', async () => {
    peer.volume.put("it's a $file", 'escaped')
    expect((await scp(remote("it\\'s\\ a\\ \\$file"), 'escaped')).stderr).toBe('')
    expect(received('escaped').toString()).toBe('escaped')
  })

  test('is told in words what is not there, and gets the others', async () => {
    peer.volume.put('there', 'there')
    const command = `scp -f missing there ../etc/passwd .synd/volume-id ''`
    const result = await run(
      'ssh',
      [...settings(), '-p', String(peer.port), 'anybody@127.0.0.1', command],
      { input: '\0'.repeat(20) },
    )
    expect(result.code).toBe(1)
    expect(result.stdout).toBe(
      [
        '\x01scp: missing: No such file or directory\n',
        'C0644 5 there\nthere\0',
        '\x01scp: ../etc/passwd: refused: path component ".."\n',
        `\x01scp: .synd/volume-id: refused: path component ".synd" is Synd's own\n`,
        '\x01scp: : refused: empty path\n',
      ].join(''),
    )
    expect(peer.record.rejections.filter((reason) => reason === 'ssh:path').length).toBe(3)
  })

  test('is refused -r, -t and everything else in words', async () => {
    writeFileSync(join(here.path, 'mine'), 'mine')
    mkdirSync(join(here.path, 'folder'), { recursive: true })
    const refusals: [string, { code: number | null; stderr: string }][] = [
      ['directories are not copied', await scp('-r', remote('dir'), 'folder')],
      ['nothing is written here', await scp('mine', remote('dir/mine'))],
      ['only `scp -f`', await ssh()],
      ['only `scp -f`', await ssh('id')],
      ['only `scp -f`', await ssh('sh -c id')],
      ['nothing but scp is run', await ssh('scp -f x; id')],
      ['nothing is expanded', await ssh('scp -f $(id)')],
      ['only `scp -f`', await ssh('-s', 'sftp')],
      [
        'only `scp -f`',
        await run('scp', [
          '-s',
          ...settings(),
          '-P',
          String(peer.port),
          remote('dir/file'),
          here.path,
        ]),
      ],
      [
        'only `scp -f`',
        await run('sftp', [...settings(), '-P', String(peer.port), remote('dir/file')]),
      ],
    ]
    for (const [words, result] of refusals) {
      expect([words, result.code === 0]).toEqual([words, false])
      expect(result.stderr).toContain(`synd: `)
      expect(result.stderr).toContain(words)
    }
    expect((await ssh('id')).code).toBe(1)
    expect(peer.record.rejections.filter((reason) => reason === 'ssh:command').length).toBe(11)
  })

  test('gets no terminal, no forwarding, no agent', async () => {
    const terminal = await ssh('-tt', 'scp -f dir/file')
    expect(terminal.stderr).toContain('PTY allocation request failed')
    const forward = await ssh('-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:1', '-N')
    expect(forward.code).not.toBe(0)
    const through = await ssh('-W', '127.0.0.1:1')
    expect(through.code).not.toBe(0)
    expect(peer.record.rejections).toContain('ssh:forwarding')
  })

  test('is refused with the key of a stranger', async () => {
    const stolen = join(here.path, 'stolen')
    const from = ['-P', String(peer.port), remote('dir/file')]
    const result = await run('scp', ['-O', ...settings('stranger'), ...from, stolen])
    expect(result.code).not.toBe(0)
    expect(result.stderr).toContain('Permission denied (publickey)')
    expect(peer.record.rejections).toContain('ssh:login')
  })

  test('exchanges keys often and still gets everything', async () => {
    const content = Buffer.alloc(8_000_000, 'rekey ')
    peer.volume.put('rekeyed', content)
    expect((await scp('-o', 'RekeyLimit=64K', remote('rekeyed'), 'rekeyed')).code).toBe(0)
    expect(received('rekeyed').equals(content)).toBe(true)
  })
})
