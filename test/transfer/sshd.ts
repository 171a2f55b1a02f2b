import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { PullTarget } from '../../src/engine/ports.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from './collect.ts'
import { makeKey, type TestKey } from './keys.ts'
import { pathOf } from './tools.ts'

/** A stock OpenSSH server on this machine that lets `member` in as the user of the test and serves `root`. */
export async function startSshd(options: {
  readonly member: TestKey
  readonly root: string
  /** Its host keys; one ed25519 key unless given. */
  readonly hostKeys?: readonly TestKey[]
  /** The port of a server that was there before. */
  readonly port?: number
  /** More lines of sshd_config. */
  readonly settings?: readonly string[]
}) {
  const directory = temporaryDirectory()
  const hostKeys = options.hostKeys ?? [makeKey()]
  const authorizedKeys = join(directory.path, 'authorized_keys')
  const file = (name: string, content: string): string => {
    writeFileSync(join(directory.path, name), content, { mode: 0o600 })
    return join(directory.path, name)
  }
  const port = options.port ?? (await freePort())
  const config = file(
    'sshd_config',
    [
      `ListenAddress 127.0.0.1:${port}`,
      ...hostKeys.map((key, index) => `HostKey ${file(`host_key${index}`, key.sshPem)}`),
      `AuthorizedKeysFile ${file('authorized_keys', `${options.member.publicLine}\n`)}`,
      `PidFile ${join(directory.path, 'pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      ...(options.settings ?? []),
      '',
    ].join('\n'),
  )
  // Where sshd separates its privileges; it does not start as root without.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const child = spawn(pathOf('sshd') ?? 'sshd', ['-D', '-e', '-f', config])
  let log = ''
  let hasEnded = false
  child.stderr.setEncoding('latin1').on('data', (text: string) => (log += text))
  child.on('exit', () => (hasEnded = true))
  child.on('error', () => (hasEnded = true))
  let isUp = false
  const knock = (): void => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('data', () => {
      isUp = true
      socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      if (!isUp && !hasEnded) setTimeout(knock, 20)
    })
  }
  knock()
  await until(() => isUp || hasEnded)
  if (hasEnded) throw new Error(`sshd did not start: ${log}`)
  const { username } = userInfo()
  const target: PullTarget = {
    address: '127.0.0.1:50051',
    host: 'not-used.invalid',
    key: 'f'.repeat(64),
    source: { kind: 'openssh', host: '127.0.0.1', port, user: username, root: options.root },
  }
  return {
    target,
    /** Its lines of known_hosts, as ssh-keyscan prints them. */
    knownHosts: hostKeys.map((key) => `[127.0.0.1]:${port} ${key.publicLine}\n`).join(''),
    port,
    /** Read at each login. */
    authorizedKeys,
    log: () => log,
    stop: async () => {
      child.kill()
      await until(() => hasEnded)
      directory.remove()
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return typeof address === 'object' && address !== null ? address.port : 0
}
