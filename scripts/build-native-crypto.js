// Builds ssh2's native crypto for the pinned Node (twice the speed of its JavaScript), after `npm ci`.
// Never fatal: without a compiler Synd runs on the JavaScript crypto and says so when it starts.
// ssh2's own install script may have run on another Node, so it is built once more against the pinned one's headers.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const nested = join(root, 'node_modules', 'node', 'node_modules')
const platform = existsSync(nested)
  ? readdirSync(nested).find((name) => name.startsWith('node-linux-'))
  : undefined

if (existsSync(join(root, 'node_modules', 'ssh2')) && !process.env.SYND_SKIP_NATIVE_CRYPTO) {
  const environment = { ...process.env }
  if (platform !== undefined) {
    const pinned = join(nested, platform)
    environment.npm_config_nodedir = pinned
    environment.PATH = join(pinned, 'bin') + delimiter + environment.PATH
  }
  const result = spawnSync('npm', ['rebuild', 'ssh2', '--foreground-scripts=false'], {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  const built = existsSync(
    join(root, 'node_modules/ssh2/lib/protocol/crypto/build/Release/sshcrypto.node'),
  )
  if (result.error || result.status !== 0 || !built) {
    console.warn(
      'synd: ssh2 runs without its native crypto (needs python3, make and g++): slower, otherwise the same',
    )
  }
}
