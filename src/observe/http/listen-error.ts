import { type ErrorCode, SyndError } from '../../core/errors.ts'

/** Why a server cannot listen, as one line that names the setting. */
export function listenError(
  variable: string,
  listen: { readonly host: string; readonly port: number },
  cause: Error,
): SyndError {
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host
  const address = `${variable}: ${host}:${listen.port}`
  const code = 'code' in cause ? String(cause.code) : ''
  const [errorCode, advice] = advices.get(code) ?? [
    'io',
    `cannot be listened on (${cause.message})`,
  ]
  return new SyndError(errorCode, `${address} ${advice}`, { cause })
}

const noAddress = 'is no address of this host: use 0.0.0.0, [::] or one that it has'

const advices: ReadonlyMap<string, readonly [ErrorCode, string]> = new Map([
  [
    'EADDRINUSE',
    ['address-in-use', 'is in use by another program: stop it or choose another port'],
  ],
  ['EACCES', ['bad-settings', 'may not be used by this user: choose a port above 1023']],
  ['EADDRNOTAVAIL', ['bad-settings', noAddress]],
  ['ENOTFOUND', ['bad-settings', noAddress]],
  ['EAI_AGAIN', ['bad-settings', noAddress]],
])
