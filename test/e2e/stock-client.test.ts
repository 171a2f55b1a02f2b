import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWith, run } from '../transfer/tools.ts'
import { Cluster, type Member } from './cluster.ts'
import { until } from './wait.ts'

describeWith(['scp', 'ssh', 'sftp', 'strace'], 'a stock client and a running peer', () => {
  let cluster: Cluster
  let alpha: Member
  let here: string
  let strace: ChildProcess
  let options: readonly string[]

  beforeAll(async () => {
    cluster = await Cluster.make(['alpha'])
    await cluster.start()
    alpha = cluster.member('alpha')
    here = join(alpha.volume, '..', 'client')
    mkdirSync(here)
    alpha.hands.write('file', 'content')
    alpha.hands.chmod('file', 0o640)
    alpha.hands.setMtime('file', 1_600_000_000_000_000)
    alpha.hands.write('another', 'more content')
    await until(async () =>
      (await alpha.process.status())?.volume.files === 2 ? null : 'they are not known yet',
    )
    const key = alpha.process.environment['SYND_SSH_KEY'] ?? ''
    const line = (await run('ssh-keygen', ['-y', '-f', key])).stdout.trim()
    writeFileSync(join(here, 'known_hosts'), `[127.0.0.1]:${alpha.ports.ssh} ${line}\n`)
    const settings = ['BatchMode=yes', 'IdentityAgent=none', 'ConnectTimeout=30']
    const known = `UserKnownHostsFile=${join(here, 'known_hosts')}`
    options = ['-F', '/dev/null', '-i', key, ...[...settings, known].flatMap((one) => ['-o', one])]
    const { pid } = alpha.process
    const calls = 'trace=execve,execveat,openat'
    strace = spawn('strace', ['-f', '-e', calls, '-p', `${pid}`, '-o', trace()])
    const [attached] = await once(strace.stderr ?? strace, 'data')
    expect(String(attached)).toContain('attached')
  }, 180_000)
  afterAll(async () => {
    strace.kill('SIGKILL')
    await cluster.stop()
  })

  const trace = (): string => join(here, 'trace')
  const port = (): string => String(alpha.ports.ssh)
  const remote = (path: string): string => `me@127.0.0.1:${path}`
  const scp = (...words: readonly string[]) =>
    run('scp', [...options, '-P', port(), ...words], { cwd: here })
  const ssh = (...words: readonly string[]) =>
    run('ssh', [
      ...options,
      '-p',
      port(),
      ...words.slice(0, -1),
      'me@127.0.0.1',
      ...words.slice(-1),
    ])

  test('gets files, and everything else is refused in words, without a program being started', async () => {
    expect(await scp('-O', remote('file'), 'plain')).toEqual({ code: 0, stdout: '', stderr: '' })
    expect((await scp('-O', '-p', remote('/file'), 'kept')).code).toBe(0)
    expect((await scp('-O', '-v', remote('file'), 'verbose')).stderr).toContain(
      'Sink: C0640 7 file',
    )
    mkdirSync(join(here, 'several'))
    expect((await scp('-O', remote('file'), remote('another'), 'several')).code).toBe(0)
    for (const name of ['plain', 'kept', 'verbose', 'several/file'])
      expect(readFileSync(join(here, name), 'utf8')).toBe('content')
    expect(readFileSync(join(here, 'several/another'), 'utf8')).toBe('more content')
    const kept = statSync(join(here, 'kept'))
    expect([kept.mode & 0o777, kept.mtimeMs]).toEqual([0o640, 1_600_000_000_000])

    writeFileSync(join(here, 'mine'), 'mine')
    const refusals: [RegExp, { code: number | null; stderr: string }][] = [
      [/directories are not copied/, await scp('-O', '-r', remote('.'), 'tree')],
      [/nothing is written here/, await scp('-O', 'mine', remote('file'))],
      [/only `scp -f`/, await scp('-s', remote('file'), 'by-sftp')],
      [/only `scp -f`/, await run('sftp', [...options, '-P', port(), remote('file')])],
      [/only `scp -f`/, await ssh('-T', '')],
      [/only `scp -f`/, await ssh('id')],
      [/PTY allocation request failed/, await ssh('-tt', 'id')],
      [/administratively prohibited|open failed/, await ssh('-W', '127.0.0.1:1', 'id')],
      [
        /remote port forwarding failed/,
        await ssh('-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:1', 'scp -f file'),
      ],
    ]
    for (const [words, { code, stderr }] of refusals) {
      expect(stderr).toMatch(words)
      expect(code).not.toBe(0)
    }
    // A variable is not taken, and the file comes all the same.
    const bare = ['scp', '-f', 'file'].join(' ')
    const zeros = { input: '\0'.repeat(4) }
    const withVariable = ['-o', 'SetEnv=LD_PRELOAD=x', '-p', port(), 'me@127.0.0.1', bare]
    expect((await run('ssh', [...options, ...withVariable], zeros)).stdout).toContain('content')
    expect(alpha.hands.read('file')).toBe('content')

    strace.kill('SIGINT')
    await once(strace, 'exit')
    const calls = readFileSync(trace(), 'utf8')
    // It looked: the files that were sent were opened.
    for (const name of ['file', 'another'])
      expect(calls).toMatch(new RegExp(`\\bopenat\\([^\\n]*/${name}"`))
    expect(calls).not.toMatch(/\bexecve(?:at)?\(/)
  }, 180_000)
})
