import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The version of this program, from package.json two directories up (of src/cli and of dist/cli). */
export function readVersion(): string {
  const path = join(import.meta.dirname, '..', '..', 'package.json')
  const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'))
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return hasVersion ? String(manifest.version) : 'unknown'
}
