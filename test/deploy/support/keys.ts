import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { check } from './command.ts'

/** Makes `directory` with a key pair as README says, readable for `owner`; gives the public line. */
export async function makeKeys(
  directory: string,
  owner: { readonly uid: number; readonly gid: number },
): Promise<string> {
  mkdirSync(directory, { recursive: true })
  const key = join(directory, 'id_ed25519')
  await check('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'synd', '-f', key])
  chmodSync(key, 0o600)
  chownSync(key, owner.uid, owner.gid)
  return readFileSync(`${key}.pub`, 'utf8')
}

/** Writes authorized_keys with the public lines of the peers. */
export function authorize(directory: string, publicLines: readonly string[]): void {
  writeFileSync(join(directory, 'authorized_keys'), publicLines.join(''))
}
