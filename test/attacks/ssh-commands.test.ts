import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Client, ClientChannel } from 'ssh2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../e2e/wait.ts'
import { exec, outcomeOf, protocolOf, rawClient, remoteId } from '../transfer/raw-client.ts'
import { describeWith, run } from '../transfer/tools.ts'
import { besiege, type Siege } from './siege.ts'

/*
 * Everything that a member may ask of the SSH server of a real sidecar, while strace looks at every program that it would start.
 */

const commands: readonly (string | Buffer)[] = [
  'scp -t /x',
  'scp -r -f /',
  'sh -c id',
  'scp -f x; id',
  'scp -f `id`',
  'scp -f $(id)',
  'scp -f x && id',
  'scp -f x || id',
  'scp -f x | id',
  'scp -f x > y',
  'scp -f < /etc/passwd',
  'scp -f x & id',
  'scp -f x\nid',
  'scp -f x\0id',
  "scp -f 'x",
  'scp -f "x',
  'scp -S/bin/sh -f x',
  'scp -o ProxyCommand=id -f x',
  'scp -f *',
  'scp -f {a,b}',
  'scp -f ~root',
  'scp -f $HOME',
  'scp -f',
  '',
  '/usr/bin/scp -f x',
  'synd-scp -t x',
  'sftp-server',
  'rsync --server --sender . /',
  `scp -f ${'x'.repeat(34_000)}`,
  `scp -f ${'x'.repeat(1_000_000)}`,
  Buffer.from('scp -f \xff\xfe;id', 'latin1'),
]

/** What is not served, and how it is made. Nothing of it may be read. */
const unservable = [
  '../outside',
  '/../outside',
  '/etc/passwd',
  'link/outside',
  'to-file',
  'through/passwd',
  'fifo',
  'socket',
  '.synd/volume-id',
  '.synd/index.sqlite',
  'deep/../../outside',
  './deep/file',
  'deep//file',
  'deep/file/',
  'deep/',
  'deep',
  'ignored',
  'nothing',
  'x'.repeat(300),
  'a/'.repeat(3000) + 'a',
]

describeWith(
  ['strace', 'mkfifo'],
  'the SSH server starts no program and reads nothing else',
  () => {
    let siege: Siege
    let strace: ChildProcess
    let trace: string
    const socket = createServer()

    beforeAll(async () => {
      siege = await besiege()
      const { volume, hands } = siege.victim
      writeFileSync(join(volume, '../outside'), 'secret')
      hands.write('.syndignore', 'ignored\n')
      hands.write('ignored', 'secret')
      mkdirSync(join(volume, 'deep'))
      hands.write('deep/file', 'served')
      symlinkSync('..', join(volume, 'link'))
      symlinkSync('../outside', join(volume, 'to-file'))
      symlinkSync('/etc', join(volume, 'through'))
      await run('mkfifo', [join(volume, 'fifo')])
      await new Promise<void>((resolve) => socket.listen(join(volume, 'socket'), resolve))
      await until(() =>
        siege.cluster.member('honest').hands.read('deep/file') === 'served' ? null : 'not synced',
      )
      trace = join(volume, '../trace')
      const { pid } = siege.victim.process
      strace = spawn('strace', [
        '-f',
        '-p',
        String(pid),
        '-e',
        'trace=execve,execveat,openat',
        '-o',
        trace,
      ])
      const [attached] = await once(strace.stderr ?? strace, 'data')
      expect(String(attached)).toContain('attached')
    })
    afterAll(async () => {
      await detach()
      socket.close()
      await siege.stop()
    })

    /** strace lets go and has written everything. */
    async function detach(): Promise<void> {
      if (strace.exitCode !== null || strace.signalCode !== null) return
      strace.kill('SIGINT')
      await once(strace, 'exit')
    }

    async function member<T>(use: (client: Client) => Promise<T>): Promise<T> {
      const { client, socket: own } = await rawClient(siege.victim.ports.ssh, {
        key: siege.attacker.key,
      })
      try {
        return await use(client)
      } finally {
        own.destroy()
      }
    }

    const refused = (ask: (done: (error?: Error | null) => void) => void): Promise<boolean> =>
      new Promise((resolve) => {
        ask((error) => resolve(error instanceof Error))
      })

    test('for no command', async () => {
      for (const command of commands) {
        const name = command.toString('latin1').slice(0, 40)
        const outcome = await member(async (client) => {
          const closed = new Promise<'closed'>((resolve) =>
            client.on('close', () => resolve('closed')),
          )
          return Promise.race([closed, exec(client, command).then(outcomeOf)])
        })
        // ssh2 closes the connection over a command of more than 35,000 bytes.
        if (outcome === 'closed') expect(command.length).toBeGreaterThan(33_000)
        else if (typeof outcome.code === 'number') {
          expect([name, outcome.code, outcome.stdout]).toEqual([name, 1, ''])
          expect(outcome.stderr).toMatch(/^synd: /)
        } else expect(command.length).toBeGreaterThan(33_000)
      }
      await siege.untilRejected('ssh', 'command', commands.length - 2)
      await siege.expectServed()
    })

    test('for no other request', async () => {
      const before = await siege.rejected('ssh', 'request')
      await member(async (client) => {
        const ask = { env: { LD_PRELOAD: '/x.so' } }
        const told = await new Promise<ClientChannel>((resolve, reject) =>
          client.exec('scp -f deep/file', ask, (error, channel) =>
            error === undefined ? resolve(channel) : reject(error),
          ),
        )
        told.write('\0\0\0\0')
        // As sshd does, it goes on without the variable.
        expect((await outcomeOf(told)).stdout).toBe(
          'C0644 6 deep/file\nserved\0'.replace('deep/', ''),
        )
        for (const options of [{ pty: true }, { x11: true }])
          expect(
            await refused((done) => client.exec('scp -f deep/file', options, (e) => done(e))),
          ).toBe(true)
        const other = await exec(client, 'scp -f deep/file')
        if (typeof other === 'string') throw new Error(other)
        protocolOf(client).openssh_agentForward(remoteId(other), true)
        other.write('\0\0\0\0')
        await outcomeOf(other)
        expect(await refused((done) => client.sftp((e) => done(e)))).toBe(true)
        for (const open of ['shell', 'subsystem'] as const) {
          const channel = await new Promise<ClientChannel | string>((resolve) => {
            const opened = (error: Error | undefined, one: ClientChannel): void =>
              resolve(error === undefined ? one : error.message)
            if (open === 'shell') client.shell(false, opened)
            else client.subsys('sftp', opened)
          })
          const outcome = await outcomeOf(channel)
          expect([open, outcome.code, outcome.stderr]).toEqual([
            open,
            1,
            expect.stringContaining('only `scp -f`'),
          ])
        }
      })
      const port = siege.victim.ports.http
      const forwards: ((client: Client, done: (error?: Error | null) => void) => void)[] = [
        (client, done) => client.forwardOut('a', 1, '127.0.0.1', port, (e) => done(e)),
        (client, done) => client.forwardIn('127.0.0.1', 0, (e) => done(e)),
        (client, done) => client.openssh_forwardOutStreamLocal('/run/x', (e) => done(e)),
        (client, done) => client.openssh_forwardInStreamLocal('/tmp/x', (e) => done(e)),
      ]
      for (const forward of forwards)
        expect(await member((client) => refused((done) => forward(client, done)))).toBe(true)
      await siege.untilRejected('ssh', 'forwarding', forwards.length)
      expect(await siege.rejected('ssh', 'request')).toBeGreaterThan(before + 3)
      await siege.expectServed()
    })

    test('for no path: what is not a listed file of the volume is refused in words', async () => {
      const before = await siege.rejected('ssh', 'path')
      for (const path of unservable) {
        const outcome = await member(async (client) => {
          const channel = await exec(client, `scp -f '${path}'`)
          if (typeof channel !== 'string') channel.write('\0\0\0\0')
          return outcomeOf(channel)
        })
        const name = path.slice(0, 40)
        expect([name, outcome.code]).toEqual([name, 1])
        expect(outcome.stdout).toMatch(/^\x01scp: [^\n]*(?:No such file|refused: )[^\n]*\n$/)
      }
      expect(await siege.rejected('ssh', 'path')).toBeGreaterThan(before + 5)
    })

    // mknod(2) is root's.
    test.skipIf(process.getuid?.() !== 0 && process.env['CI'] !== 'true')(
      'for no device, not even one that takes the place of a listed file while that is asked for',
      async () => {
        const { volume, hands } = siege.victim
        const make = async (path: string): Promise<void> => {
          const { code, stderr } = await run('mknod', [join(volume, path), 'c', '1', '5'])
          expect([code, stderr]).toEqual([0, ''])
        }
        const asked = (path: string) =>
          member(async (client) => {
            const channel = await exec(client, `scp -f '${path}'`)
            if (typeof channel !== 'string') channel.write('\0\0\0\0')
            return outcomeOf(channel)
          })
        const refusal = /^\x01scp: [^\n]+\n$/
        await make('device')
        expect((await asked('device')).stdout).toMatch(refusal)
        hands.write('was-a-file', 'served')
        await until(async () =>
          (await asked('was-a-file')).stdout.includes('served') ? null : 'not listed yet',
        )
        // As long as the index has the file, what is opened is the device: it would send zeros without end.
        await make('swapped')
        renameSync(join(volume, 'swapped'), join(volume, 'was-a-file'))
        for (let count = 0; count < 5; count++) {
          const { code, stdout } = await asked('was-a-file')
          expect([code, stdout]).toEqual([1, expect.stringMatching(refusal)])
        }
        await siege.expectServed()
      },
    )

    test('as strace saw it', async () => {
      await siege.expectServed()
      strace.kill('SIGINT')
      await once(strace, 'exit')
      const calls = readFileSync(trace, 'utf8')
      expect(calls).not.toMatch(/\bexecve(?:at)?\(/)
      // It looked: files were opened.
      expect(calls).toMatch(/\bopenat\(/)
    })
  },
)
