import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, test } from 'vitest'

/**
 * `describe` for tests that need programs of this machine. Where one is missing they are skipped, visibly; in CI that is a failure.
 */
export function describeWith(programs: readonly string[], title: string, body: () => void): void {
  const missing = programs.filter((program) => pathOf(program) === null)
  if (missing.length === 0) describe(title, body)
  else if (process.env['CI'] === 'true')
    test(title, () => {
      throw new Error(`not installed: ${missing.join(', ')}`)
    })
  else describe.skip(`${title} (not installed: ${missing.join(', ')})`, body)
}

/** Where a program is, null when it is nowhere. */
export function pathOf(program: string): string | null {
  const directories = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin`.split(delimiter)
  for (const directory of directories) {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return join(directory, program)
    } catch {
      // Not in this directory.
    }
  }
  return null
}

/** Runs a program to its end; arguments may be bytes as latin1. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly input?: string; readonly cwd?: string } = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(pathOf(program) ?? program, args, { cwd: options.cwd })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('latin1').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('latin1').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { code, stdout, stderr }
}
