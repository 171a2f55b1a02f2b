import { request } from 'node:http'
import type { Settings } from '../config/complete.ts'
import { formatHostPort } from '../config/addresses.ts'
import { SyndError } from '../core/errors.ts'

/** The event loop of a busy peer may be late, but not by this much. */
const deadlineMs = 5000

/** Asks the sidecar that runs with these settings on this host. Throws `unreachable` when nothing answers. */
export async function askLocal(
  { httpListen }: Pick<Settings, 'httpListen'>,
  { method, path }: { readonly method: 'GET' | 'POST'; readonly path: string },
): Promise<{ readonly status: number; readonly body: string }> {
  if (httpListen.port === 0)
    throw new SyndError(
      'bad-settings',
      'SYND_HTTP_LISTEN has port 0, any free one: set the port that the running synd chose',
    )
  const host = localHosts.get(httpListen.host) ?? httpListen.host
  const address = formatHostPort({ host, port: httpListen.port })
  try {
    return await send({ host, port: httpListen.port, method, path })
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw new SyndError(
      'unreachable',
      `nothing answers at ${address} (${code}): is synd running with this SYND_HTTP_LISTEN?`,
      { cause },
    )
  }
}

/** Where one reaches who listens everywhere. */
const localHosts: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
])

async function send(options: {
  readonly host: string
  readonly port: number
  readonly method: string
  readonly path: string
}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(deadlineMs)
    const sent = request({ ...options, agent: false, signal }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    sent.on('error', (error) => reject(signal.aborted ? new Error('no answer in 5 s') : error))
    sent.end()
  })
}
