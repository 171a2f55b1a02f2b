import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { Cluster } from './cluster.ts'

const root = join(import.meta.dirname, '..', '..')
const { path: program, remove } = temporaryDirectory()
let cluster: Cluster | null = null

afterEach(async () => {
  await cluster?.stop()
  remove()
})

test('what `npm run build` makes syncs without the sources, as in the image', async () => {
  const outDir = join(program, 'dist')
  mkdirSync(outDir)
  execFileSync('npm', ['run', '--silent', 'build', '--', '--outDir', outDir], {
    cwd: root,
    stdio: 'pipe',
  })
  for (const part of ['bin', 'proto', 'package.json'])
    cpSync(join(root, part), join(program, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(program, 'node_modules'))
  cluster = await Cluster.make(['alpha', 'beta'], {
    commandOf: () => [process.execPath, join(program, 'bin', 'synd.js'), 'run'],
  })
  await cluster.start()
  cluster.member('alpha').hands.write('from-dist', 'x'.repeat(5_000_000))
  await cluster.untilLike('alpha')
  await cluster.untilInSync()
  expect(cluster.member('beta').hands.read('from-dist')).toHaveLength(5_000_000)
}, 120_000)
