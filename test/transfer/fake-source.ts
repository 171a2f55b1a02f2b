import ssh2 from 'ssh2'
import type { Connection, ServerChannel } from 'ssh2'
import type { PullTarget } from '../../src/engine/ports.ts'
import { makeKey, type TestKey } from './keys.ts'

/** An SSH server that lets everybody in and answers each exec as told; hostile sources are made of it. */
export async function startFakeSource(
  answer: (channel: ServerChannel, command: string, connection: Connection) => void,
  options: {
    readonly opensSessions?: boolean
    /** False: the session is refused. */
    readonly mayOpen?: (connection: Connection) => boolean
    /** False: the command is refused, on a session that stays open. */
    readonly mayRun?: () => boolean
    readonly key?: TestKey
  } = {},
) {
  const key = options.key ?? makeKey()
  const connections = new Set<Connection>()
  const server = new ssh2.Server({ hostKeys: [key.sshPem] }, (connection) => {
    connections.add(connection)
    connection.on('error', () => undefined)
    connection.on('close', () => connections.delete(connection))
    connection.on('authentication', (context) => context.accept())
    connection.on('session', (accept, reject) => {
      if (options.opensSessions === false) return
      if (options.mayOpen?.(connection) === false) return reject()
      accept().on('exec', (acceptExec, rejectExec, { command }) => {
        if (options.mayRun?.() === false) return rejectExec()
        const channel = acceptExec()
        channel.on('error', () => undefined)
        channel.resume()
        answer(channel, command, connection)
      })
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const target: PullTarget = {
    address: '127.0.0.1:50051',
    host: '127.0.0.1',
    key: key.fingerprint,
    source: { kind: 'embedded', port },
  }
  return {
    target,
    key,
    connections,
    stop: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      for (const connection of connections) connection.end()
      await closed
    },
  }
}

/** Ends an exec as an honest program does. */
export function endExec(channel: ServerChannel, code = 0): void {
  channel.exit(code)
  channel.end()
}
