import type { IncomingMessage } from 'node:http'

/** True when the connection came over the loopback interface. A mesh's own addresses in 127/8 are not this host's users. */
export function isLoopback(request: IncomingMessage): boolean {
  const address = request.socket.remoteAddress?.replace(/^::ffff:/i, '')
  return address === '127.0.0.1' || address === '::1'
}

/**
 * Why a request that changes something is refused, or null. A page in a browser on this host also comes over loopback: Host
 * must be this host's (a rebound name is not), and an Origin must be the same.
 */
export function refuseCaller(request: IncomingMessage): 'not-local' | 'host' | 'origin' | null {
  if (!isLoopback(request)) return 'not-local'
  const host = request.headers.host ?? ''
  if (!/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i.test(host)) return 'host'
  const { origin } = request.headers
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    return 'origin'
  return null
}
