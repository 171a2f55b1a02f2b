import { execFileSync } from 'node:child_process'
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

/** Builds into an empty directory what the image has, without the sources; gives the command that runs it. */
export function buildProgram(directory: string): readonly string[] {
  const outDir = join(directory, 'dist')
  execFileSync('npm', ['run', '--silent', 'build', '--', '--outDir', outDir], {
    cwd: root,
    stdio: 'pipe',
  })
  for (const part of ['bin', 'proto', 'package.json'])
    cpSync(join(root, part), join(directory, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  return [process.execPath, join(directory, 'bin', 'synd.js'), 'run']
}
