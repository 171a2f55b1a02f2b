import { isIP, isIPv6 } from 'node:net'
import { formatHostPort, parsePort, splitHostPort } from './addresses.ts'
import { FormatError } from './format-error.ts'

/** An entry of SYND_PEERS: one address, or every address that a name resolves to. `address` is `host:port`. */
export type PeerAddress =
  | {
      readonly kind: 'host'
      readonly host: string
      readonly port: number
      readonly address: string
    }
  | { readonly kind: 'dns'; readonly name: string; readonly port: number }

/** The gRPC port of a peer listed without one. */
const defaultPeerPort = 50051

/** `host[:port]` or `dns:name[:port]`. */
export function parsePeer(text: string): PeerAddress {
  if (text === '') throw new FormatError('entries separated by single commas, none of them empty')
  const isName = text.startsWith('dns:')
  const parts = splitHostPort(isName ? text.slice('dns:'.length) : text)
  const port = parts?.port === undefined ? defaultPeerPort : parsePort(parts.port, 1)
  if (parts === null || port === null) {
    const hint = isIPv6(text) ? ` (an IPv6 address is written [${text}])` : ''
    throw new FormatError(`entries host[:port] or dns:name[:port], not "${text}"${hint}`)
  }
  if (!isName)
    return {
      kind: 'host',
      host: parts.host,
      port,
      address: formatHostPort({ host: parts.host, port }),
    }
  if (isIP(parts.host) !== 0)
    throw new FormatError(`a name after dns:, not the address in "${text}"`)
  return { kind: 'dns', name: parts.host, port }
}

/** The peer as it is written in SYND_PEERS, with its port. */
export function formatPeer(peer: PeerAddress): string {
  return peer.kind === 'host' ? peer.address : `dns:${peer.name}:${peer.port}`
}
