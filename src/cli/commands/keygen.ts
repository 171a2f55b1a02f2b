import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Settings } from '../../config/complete.ts'
import { loadSettings } from '../../config/settings.ts'
import { SyndError } from '../../core/errors.ts'
import { generateKeyPair } from '../../identity/keys.ts'
import type { Call } from '../commands.ts'
import { loadOwnKey } from '../own-key.ts'
import { takeOption } from '../options.ts'

/**
 * `synd keygen [--out DIR]`: makes DIR/id_ed25519, or the file in SYND_SSH_KEY, where there is none; prints the public line alone, so
 * that it can be appended to a peer's authorized_keys.
 */
export async function keygen({ words, terminal }: Call): Promise<number> {
  const { value: out, rest } = takeOption(words, '--out')
  const { settings } = loadSettings(rest)
  const path = out === null ? settings.sshKey : join(resolve(out), 'id_ed25519')
  if (existsSync(path)) {
    terminal.print(publicLineOf({ ...settings, sshKey: path }))
    terminal.complain(`synd: ${path} exists and was left as it is`)
    return 0
  }
  const { privateKeyText, publicLine } = generateKeyPair({ comment: `synd@${settings.peerName}` })
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    write(path, privateKeyText, 0o600)
    write(`${path}.pub`, `${publicLine}\n`, 0o644)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw new SyndError(
      'bad-key',
      `cannot write ${path} (${code}): choose a directory that this user may write, with --out DIR`,
      { cause },
    )
  }
  terminal.print(publicLine)
  terminal.complain(`synd: made ${path}; put the line above into authorized_keys of every peer`)
  return 0
}

/** The line in the .pub file when it is this key's, for its comment; else made from the key. */
function publicLineOf(settings: Settings): string {
  const line = loadOwnKey(settings).sshPublicLine.trim()
  const path = `${settings.sshKey}.pub`
  const [known = ''] = existsSync(path) ? readFileSync(path, 'utf8').split('\n', 1) : []
  return known.startsWith(line) ? known.trim() : line
}

/** Fails when there is such a file; on disk when it returns. */
function write(path: string, text: string, mode: number): void {
  const file = openSync(path, 'wx', mode)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
