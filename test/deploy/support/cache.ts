import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** A directory outside the checkout that lasts between runs: stand-in images and Docker's layers. */
export function cacheDirectory(name: string): string {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const directory = join(base, 'synd-deploy', name)
  mkdirSync(directory, { recursive: true })
  return directory
}

/** The root of the checkout. */
export const repository = join(import.meta.dirname, '..', '..', '..')
