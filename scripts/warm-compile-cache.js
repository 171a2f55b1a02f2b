// Strips the types of the sources once, after `npm ci`, so that the first start of `synd` need not (bin/synd.js).
// Never fatal: without it the first start takes half a second and 45 MB more.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const pinned = join(root, 'node_modules', 'node', 'bin', 'node')
const entry = join(root, 'src', 'cli', 'run.ts')

if (existsSync(pinned) && existsSync(entry)) {
  const program = `await import(${JSON.stringify(entry)}); process.exit(0)`
  spawnSync(pinned, ['--input-type=module', '--eval', program], {
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'synd'),
    },
    stdio: 'ignore',
  })
}
