import { connect, type Socket } from 'node:net'
import ssh2 from 'ssh2'
import type { Client, ClientChannel, ConnectConfig } from 'ssh2'
import { makeKey, type TestKey } from './keys.ts'

/** ssh2's inner protocol object, as far as hostile clients bend it. */
export interface Protocol {
  session: (channel: number, window: number, packetSize: number) => void
  exec: (channel: number, command: string | Buffer, wantsReply: boolean) => void
  channelEOF: (channel: number) => void
  rekey: () => void
  openssh_agentForward: (channel: number, wantsReply: boolean) => void
  parse: (chunk: Buffer, from: number, to: number) => void
}

/** An ssh2 client without any of the sink's manners, and its socket. */
export async function rawClient(
  port: number,
  options: { readonly key?: TestKey; readonly config?: Partial<ConnectConfig> } = {},
): Promise<{ client: Client; socket: Socket; protocol: Protocol; isClosed: () => boolean }> {
  const { client, socket, isClosed } = openClient(port, options)
  await new Promise<void>((resolve, reject) => {
    client.on('ready', resolve)
    client.on('error', reject)
    client.on('close', () => reject(new Error('closed')))
  })
  return { client, socket, protocol: protocolOf(client), isClosed }
}

/** The same, not waiting for the login. */
export function openClient(
  port: number,
  options: { readonly key?: TestKey; readonly config?: Partial<ConnectConfig> } = {},
) {
  const client = new ssh2.Client()
  const socket = connect({ host: '127.0.0.1', port })
  let isOver = false
  client.on('error', () => undefined)
  client.on('close', () => (isOver = true))
  const key = options.key ?? makeKey()
  client.connect({
    sock: socket,
    username: 'x',
    privateKey: key.sshPem,
    strictVendor: false,
    ...options.config,
  })
  return { client, socket, isClosed: () => isOver }
}

export function protocolOf(client: Client): Protocol {
  const protocol: Protocol = Reflect.get(client, '_protocol')
  return protocol
}

/** An exec with its channel; the reason as text when it is refused. */
export function exec(client: Client, command: string | Buffer): Promise<ClientChannel | string> {
  return new Promise((resolve) => {
    client.exec(command, (error, channel) => resolve(error === undefined ? channel : error.message))
  })
}

/** What an exec says and how it ends. */
export async function outcomeOf(
  channel: ClientChannel | string,
): Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }> {
  if (typeof channel === 'string') return { code: channel, stdout: '', stderr: '' }
  let stdout = ''
  let stderr = ''
  channel.on('data', (bytes: Buffer) => (stdout += bytes.toString('latin1')))
  channel.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString('latin1')))
  const code = await new Promise((resolve) => {
    channel.on('close', resolve)
  })
  return { code, stdout, stderr }
}

/** The number of a channel at the other end. */
export function remoteId(channel: ClientChannel): number {
  const outgoing: unknown = channel.outgoing
  return typeof outgoing === 'object' && outgoing !== null && 'id' in outgoing
    ? Number(outgoing.id)
    : -1
}

/** The client does not hear which signature algorithms the server takes. */
export function deafToExtensions(client: Client): void {
  const handlers: unknown = Reflect.get(protocolOf(client), '_handlers')
  if (typeof handlers === 'object' && handlers !== null)
    Reflect.deleteProperty(handlers, 'EXT_INFO')
}
