import type { IncomingMessage } from 'node:http'

/**
 * True when it is not plain which host is asked (RFC 9112, 3.2): two Host lines, of which Node would show the first and a proxy
 * may have followed the second, or none or an empty one in HTTP/1.1. Probes that speak HTTP/1.0 need none.
 */
export function isHostUnclear(request: IncomingMessage): boolean {
  const [host = '', ...more] = request.headersDistinct['host'] ?? []
  return more.length > 0 || (request.httpVersion === '1.1' && host === '')
}

/**
 * True for a user of this host who asked it by a loopback name: these may see names of files. A page in a browser here comes over
 * loopback too, and may read the answer when its own name was rebound to 127.0.0.1; then Host is that name.
 */
export function isLocalUser(request: IncomingMessage): boolean {
  if (!isLoopback(request)) return false
  const host = askedHost(request)
  // SYND_HTTP_LISTEN may be any address in 127/8.
  return ownHosts.has(host) || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/**
 * Why a request that changes something is refused, or null. A page in a browser on this host also comes over loopback: Host
 * must be this host's (a rebound name is not), and an Origin must be the same.
 */
export function refuseCaller(request: IncomingMessage): 'not-local' | 'host' | 'origin' | null {
  if (!isLoopback(request)) return 'not-local'
  if (!ownHosts.has(askedHost(request))) return 'host'
  const { host = '', origin } = request.headers
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    return 'origin'
  return null
}

/** True when the connection came over the loopback interface. A mesh's own addresses in 127/8 are not this host's users. */
function isLoopback(request: IncomingMessage): boolean {
  const address = request.socket.remoteAddress?.replace(/^::ffff:/i, '')
  return address === '127.0.0.1' || address === '::1'
}

/** What only this host itself is asked by. */
const ownHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** The name or address in Host, in lower case and without the port. */
function askedHost({ headers }: IncomingMessage): string {
  return (headers.host ?? '').toLowerCase().replace(/:\d{1,5}$/, '')
}
