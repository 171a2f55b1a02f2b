#!/usr/bin/env node
// Starts Synd on the Node that the project pins, whatever Node runs this file.
// Plain JavaScript without new syntax: any Node must be able to read it.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

// Hashing and fsync share libuv's threads with everything else; 4 are too few (read when the first is used).
process.env.UV_THREADPOOL_SIZE = process.env.UV_THREADPOOL_SIZE || '16'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const pinnedMajor = manifest.syndNodeMajor
const source = join(root, 'src', 'main.ts')
const entry = existsSync(source) ? source : join(root, 'dist', 'main.js')

if (Number(process.versions.node.split('.')[0]) === pinnedMajor) {
  if (entry === source) keepCompiled(join(root, 'node_modules', '.cache', 'synd'))
  const { main } = await import(pathToFileURL(entry).href)
  await main(process.argv.slice(2))
} else {
  startPinned(join(root, 'node_modules', 'node', 'bin', 'node'))
}

// What strips the types takes 45 MB and half a second of each start; not where the result is kept.
function keepCompiled(directory) {
  module.enableCompileCache(directory)
  // For the threads, which do not inherit it.
  process.env.NODE_COMPILE_CACHE = directory
}

function startPinned(binary) {
  if (!existsSync(binary)) {
    console.error(
      'synd: Node ' +
        pinnedMajor +
        ' is not installed here: run `npm ci` in ' +
        root +
        ' and allow it to run install scripts',
    )
    process.exit(1)
  }
  const child = spawn(binary, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal sends SIGINT to the whole group: the child has it already.
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('error', (error) => {
    console.error('synd: cannot start ' + binary + ': ' + error.message)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    process.exit(signal ? 1 : code)
  })
}
