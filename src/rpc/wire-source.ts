import type { SourceOffer } from '../core/protocol.ts'
import { maxPathBytes } from '../core/relative-path.ts'
import type { OpenSshSource__Output } from './generated/synd/v1/OpenSshSource.ts'
import type {
  SourceOffer as WireSource,
  SourceOffer__Output,
} from './generated/synd/v1/SourceOffer.ts'
import { Rejection } from './rejection.ts'

const reason = 'malformed-hello'

/** A name or an address, as it may stand in a command line or a log. */
const hostPattern = /^[A-Za-z0-9_.:-]{1,253}$/
const userPattern = /^[A-Za-z0-9._][A-Za-z0-9._-]{0,63}$/

/** Where files are offered; a kind that this version does not know offers nothing that it could use. Throws a Rejection. */
export function readSource(wire: SourceOffer__Output | null): SourceOffer {
  if (wire?.embedded) return { kind: 'embedded', port: readPort(wire.embedded.port) }
  if (wire?.openssh) return readOpenSsh(wire.openssh)
  return { kind: 'none' }
}

/** Inverse of `readSource`. */
export function writeSource(source: SourceOffer): WireSource {
  if (source.kind === 'embedded') return { embedded: { port: source.port } }
  if (source.kind === 'none') return {}
  const { host, port, user, root } = source
  return { openssh: { host, port, user, root: Buffer.from(root) } }
}

function readOpenSsh(wire: OpenSshSource__Output): SourceOffer {
  const { host, user } = wire
  if (!hostPattern.test(host) || !userPattern.test(user)) {
    throw new Rejection(reason, 'host or user of the SSH server')
  }
  const root = wire.root.toString('utf8')
  const isText = Buffer.from(root).equals(wire.root) && !root.includes('\0')
  if (!isText || !root.startsWith('/') || wire.root.length > maxPathBytes) {
    throw new Rejection(reason, 'path of the volume on the SSH server')
  }
  return { kind: 'openssh', host, port: readPort(wire.port), user, root }
}

function readPort(port: number): number {
  if (port < 1 || port > 65_535) throw new Rejection(reason, `port ${port}`)
  return port
}
