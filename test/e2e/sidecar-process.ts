import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Status } from '../../src/core/status.ts'

const launcher = join(import.meta.dirname, '..', '..', 'bin', 'synd.js')

/** `synd run` on the Node that runs the tests. */
export const runCommand: readonly string[] = [process.execPath, launcher, 'run']

/** A process that is suspended takes connections and says nothing. */
const answerMs = 10_000

/** One `synd run` as a process of its own; what it prints is kept. */
export class SidecarProcess {
  readonly environment: Readonly<Record<string, string>>
  readonly #command: readonly string[]
  readonly #httpPort: number
  #child: ChildProcess | null = null
  output = ''

  /** `command` runs something else than the launcher on the pinned Node, such as what was built. */
  constructor(options: {
    environment: Readonly<Record<string, string>>
    httpPort: number
    command?: readonly string[] | null
  }) {
    this.environment = options.environment
    this.#httpPort = options.httpPort
    this.#command = options.command ?? runCommand
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('not running')
    return pid
  }

  /** It was started and did not end, by whatever hand. */
  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  start(): void {
    const [program = '', ...words] = this.#command
    const child = spawn(program, words, {
      env: { PATH: process.env['PATH'] ?? '', ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    this.#child = child
  }

  /** SIGTERM; resolves with the exit code, or the name of the signal that ended it. */
  async stop(): Promise<number | string> {
    return this.end('SIGTERM')
  }

  /** kill -9 */
  async kill(): Promise<void> {
    await this.end('SIGKILL')
  }

  async end(signal: NodeJS.Signals): Promise<number | string> {
    const child = this.#child
    if (child === null) return 0
    const exited = this.exited()
    child.kill('SIGCONT')
    child.kill(signal)
    return exited
  }

  async exited(): Promise<number | string> {
    const child = this.#child
    if (child === null) return 0
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    this.#child = null
    return child.exitCode ?? child.signalCode ?? 'nothing'
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }

  /** Null while it does not answer. */
  async status(): Promise<Status | null> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#httpPort}/status`, {
        signal: AbortSignal.timeout(answerMs),
      })
      return (await response.json()) as Status
    } catch {
      return null
    }
  }

  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await this.#fetch(path)
    return { status: response.status, text: await response.text() }
  }

  /** Once more where the connection that was kept has just been closed. */
  async #fetch(path: string): Promise<Response> {
    const url = `http://127.0.0.1:${this.#httpPort}${path}`
    try {
      return await fetch(url)
    } catch {
      return await fetch(url)
    }
  }
}
