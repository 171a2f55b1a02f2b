import { createHash } from 'node:crypto'
import type { HostKeyVerdict } from '../core/credentials.ts'

/** Why a stock sshd is not logged in to, and what to do; null when its host key is the one that is known. */
export function hostKeyRefusal(
  verdict: HostKeyVerdict,
  host: { readonly host: string; readonly port: number; readonly blob: Buffer },
): string | null {
  const name = fingerprint(host.blob)
  switch (verdict) {
    case 'known':
      return null
    case 'unknown':
      return unknownHost(host)
    case 'changed':
      return `its host key ${name} is not the one in SYND_SSH_KNOWN_HOSTS: if this server was set up anew, replace its line there; if not, somebody stands in between`
    case 'revoked':
      return `its host key ${name} is revoked in SYND_SSH_KNOWN_HOSTS (@revoked): give the server a new one`
  }
}

/** Why a host that no line names is not even connected to. */
export function unknownHost({ host, port }: { readonly host: string; readonly port: number }) {
  return `SYND_SSH_KNOWN_HOSTS has no line for it: add what \`ssh-keyscan -p ${port} ${host}\` prints, once the fingerprint is that of the host`
}

/** What a stock sshd said instead of sending files, with what to change there. */
export function explainSilence(text: string): string {
  for (const [pattern, advice] of advices) if (pattern.test(text)) return `${advice} (${text})`
  return `it sends no files (${text})`
}

/** First match counts. OpenSSH's own words, and those of shells. */
const advices: readonly (readonly [RegExp, string])[] = [
  [
    /sftp connections only/,
    'it lets this user do sftp only: take ForceCommand internal-sftp away, Synd needs scp -f',
  ],
  [
    /account is (currently )?not available/,
    'this user has no shell there: give it one, such as /bin/sh',
  ],
  [
    /instead of a file/,
    'it prints something before the files: its shell start-up files (.bashrc) must be silent when nobody types',
  ],
  [/not found|exit status 127/, 'it has no scp: install the OpenSSH client there'],
  [
    /^(no )?exit status/,
    'it runs something else than the scp -f that was asked for: look for ForceCommand in its sshd_config, and command= in its authorized_keys',
  ],
]

/** As ssh-keygen -l shows it. */
function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}
