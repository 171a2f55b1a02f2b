import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import type { HostPort } from './addresses.ts'
import { badValue, givenOf, type GivenSettings } from './given.ts'
import { schema, type Values } from './schema.ts'

const listenNames = ['grpcListen', 'sshListen', 'httpListen'] as const

/** Finds two settings that would listen on one port: the second would only fail when the first is open. Throws `bad-settings`. */
export function demandOwnPorts(values: Values, given: GivenSettings): void {
  for (const [index, first] of listenNames.entries())
    for (const second of listenNames.slice(index + 1)) {
      const addresses = [values[first], values[second]] as const
      if (!canClash(...addresses)) continue
      // What was given is at fault, rather than a default.
      const [name, other] =
        given.has(second) || !given.has(first) ? [second, first] : [first, second]
      const said = givenOf(name, given, schema[name].default)
      const taken = givenOf(other, given, schema[other].default).text
      throw badValue(name, said, `another port than that of ${schema[other].env} (${taken})`)
    }
}

/** Only what is certain: where a name leads to shows when it is listened on. */
function canClash(one: HostPort | null, other: HostPort | null): boolean {
  if (one === null || other === null || one.port === 0 || one.port !== other.port) return false
  const [host, otherHost] = [plainHost(one.host), plainHost(other.host)]
  return host === otherHost || covers(host, otherHost) || covers(otherHost, host)
}

/** Node listens on IPv4 as well when it listens on `::`. */
function covers(wildcard: string, host: string): boolean {
  return wildcard === '::' || (wildcard === '0.0.0.0' && isIPv4(host))
}

/** One spelling for each address and name. */
function plainHost(host: string): string {
  if (isIPv6(host)) return new SocketAddress({ address: host, family: 'ipv6' }).address
  return host.toLowerCase()
}
