import { spawn } from 'node:child_process'

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Both, in the order they came. */
  readonly output: string
}

export interface CommandOptions {
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string
  readonly timeoutMs?: number
}

/** Runs a program to its end; whatever it exits with is an answer. Killed by a signal counts as code -1. */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(options.timeoutMs ?? 600_000),
    killSignal: 'SIGKILL',
  })
  const stdout: string[] = []
  const stderr: string[] = []
  const output: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout.push(text)
    output.push(text)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr.push(text)
    output.push(text)
  })
  child.stdin.on('error', () => {
    // A program that does not read its input is none of our business.
  })
  child.stdin.end(options.input ?? '')
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve(exitCode ?? -1))
  })
  return { code, stdout: stdout.join(''), stderr: stderr.join(''), output: output.join('') }
}

/** Runs a program that must succeed and gives what it printed on stdout. */
export async function check(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await run(program, args, options)
  if (result.code !== 0) {
    throw new Error(`${program} ${args.join(' ')} exited ${result.code}:\n${result.output}`)
  }
  return result.stdout
}
