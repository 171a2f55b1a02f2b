import { readFileSync } from 'node:fs'
import type { Settings } from '../config/complete.ts'
import { SyndError } from '../core/errors.ts'
import { loadPrivateKey, type PrivateKey } from '../identity/keys.ts'

/** This peer's private key as the settings name it. Throws `bad-key`. */
export function loadOwnKey(
  settings: Pick<Settings, 'sshKey' | 'sshKeyPassphraseFile'>,
): PrivateKey {
  const { sshKey, sshKeyPassphraseFile } = settings
  if (sshKeyPassphraseFile === null) return loadPrivateKey(sshKey)
  return loadPrivateKey(sshKey, { passphrase: readPassphrase(sshKeyPassphraseFile) })
}

/** The file's first line: editors end it with a newline that is no part of the passphrase. */
function readPassphrase(path: string): string {
  try {
    const [passphrase = ''] = readFileSync(path, 'utf8').split(/\r?\n/, 1)
    return passphrase
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw new SyndError(
      'bad-key',
      `SYND_SSH_KEY_PASSPHRASE_FILE: cannot read ${path} (${code}): correct the path or its permissions`,
      { cause },
    )
  }
}
