/** A host and a port, as one listens on or dials. */
import { isIPv4, isIPv6 } from 'node:net'
import { FormatError } from './format-error.ts'

/** `host` is a name or an address, IPv6 without its brackets. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** `host:port` to listen on; port 0 takes any free one. */
export function parseListenAddress(text: string): HostPort {
  const parts = splitHostPort(text)
  const port = parsePort(parts?.port, 0)
  if (parts === null || port === null)
    throw new FormatError('host:port such as 0.0.0.0:50051 or [::]:50051')
  return { host: parts.host, port }
}

/** Like parseListenAddress, null for `off`. */
export function parseListenAddressOrOff(text: string): HostPort | null {
  if (text === 'off') return null
  try {
    return parseListenAddress(text)
  } catch {
    throw new FormatError('host:port such as 0.0.0.0:2222 or [::]:2222, or off')
  }
}

/** `host:port`, an IPv6 address in brackets. */
export function formatHostPort({ host, port }: HostPort): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/** Host and port as written, or null when the host is none; the port is not looked at. */
export function splitHostPort(text: string): { host: string; port: string | undefined } | null {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(text) ?? []
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : null
  return plain !== undefined && isHost(plain) ? { host: plain, port } : null
}

/** A decimal port of at least `lowest`, or null. */
export function parsePort(text: string | undefined, lowest: number): number | null {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return null
  const port = Number(text)
  return port >= lowest && port <= 65_535 ? port : null
}

/** An IPv4 address or a name (RFC 1123, and the underscores of compose); a name whose last label is a number is no name. */
function isHost(text: string): boolean {
  if (isIPv4(text)) return true
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  const labels = name.split('.')
  return (
    name.length <= 253 &&
    labels.every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  )
}
