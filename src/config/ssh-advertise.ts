import { parsePort, splitHostPort } from './addresses.ts'
import { FormatError } from './format-error.ts'

/**
 * What SYND_SSH_ADVERTISE says: the embedded server published under another address, or a stock sshd with the user to log in
 * as and the absolute path of the volume there.
 */
export type SshAdvertise =
  | { readonly kind: 'embedded'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'openssh'
      readonly user: string
      readonly host: string
      readonly port: number
      readonly root: string
    }

/** `ssh://host:port`, or `ssh://user@host[:port]/absolute/path`; null for the empty text. */
export function parseSshAdvertise(text: string): SshAdvertise | null {
  if (text === '') return null
  const [, user, authority, path] = /^ssh:\/\/(?:([^@/]*)@)?([^@/]+)(\/.*)?$/s.exec(text) ?? []
  const parts = authority === undefined ? null : splitHostPort(authority)
  if (parts !== null && user === undefined && path === undefined) {
    const port = parsePort(parts.port, 1)
    if (port !== null) return { kind: 'embedded', host: parts.host, port }
  }
  if (parts !== null && user !== undefined && path !== undefined) {
    const port = parts.port === undefined ? 22 : parsePort(parts.port, 1)
    const root = decodePath(path)
    if (/^[A-Za-z0-9._][A-Za-z0-9._-]*$/.test(user) && port !== null && root !== null)
      return { kind: 'openssh', user, host: parts.host, port, root }
  }
  throw new FormatError(
    'ssh://host:port (Synd published elsewhere) or ssh://user@host:port/absolute/path (a stock sshd), without a password',
  )
}

function decodePath(path: string): string | null {
  try {
    const decoded = decodeURIComponent(path)
    return decoded.includes('\0') || decoded.split('/').includes('..') ? null : decoded
  } catch {
    return null
  }
}
