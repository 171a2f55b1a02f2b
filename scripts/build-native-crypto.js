// Builds ssh2's native crypto for the pinned Node (twice the speed of its JavaScript), after `npm ci`.
// Never fatal: without a compiler Synd runs on the JavaScript crypto and says so when it starts.
// ssh2's own install script may have run on another Node, so it is built once more against the pinned one's headers.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Stands in for Node's node_object_wrap.h. Since 24.19 that header registers an environment hook for each object and takes it away in the
// destructor; the destructor runs in a garbage collection, where often no context is entered, and then Node ends the process:
// "RemoveEnvironmentCleanupHook: Assertion failed: (env) != nullptr" (https://github.com/nodejs/node/issues/65446,
// https://github.com/mscdex/ssh2/issues/1511). The code is in the header, so the headers at build time count. nan, which ssh2 is built with,
// has the same class without hooks.
const objectWrap = `#define SRC_NODE_OBJECT_WRAP_H_
#include <nan.h>
namespace node {
using Nan::ObjectWrap;
}
`
const fatalSymbol = 'RemoveEnvironmentCleanupHook'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const nested = join(root, 'node_modules', 'node', 'node_modules')
const platform = existsSync(nested)
  ? readdirSync(nested).find((name) => name.startsWith('node-linux-'))
  : undefined

if (existsSync(join(root, 'node_modules', 'ssh2'))) {
  const headers = mkdtempSync(join(tmpdir(), 'synd-headers-'))
  const standIn = join(headers, 'object-wrap.h')
  writeFileSync(standIn, objectWrap)
  const environment = { ...process.env }
  environment.CXXFLAGS = `${process.env.CXXFLAGS ?? ''} -include ${standIn}`
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
  rmSync(headers, { recursive: true })
  const binding = join(root, 'node_modules/ssh2/lib/protocol/crypto/build/Release/sshcrypto.node')
  // Left over from ssh2's own install script where ours did not build one: better none.
  if (existsSync(binding) && readFileSync(binding).includes(fatalSymbol)) rmSync(binding)
  if (result.error || result.status !== 0 || !existsSync(binding)) {
    console.warn(
      'synd: ssh2 runs without its native crypto (needs python3, make and g++): slower, otherwise the same',
    )
  }
}
