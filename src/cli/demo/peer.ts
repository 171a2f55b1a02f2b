import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { environmentWith } from '../../config/environment.ts'
import { SyndError } from '../../core/errors.ts'
import { generateKeyPair } from '../../identity/keys.ts'
import { askLocal } from '../local-http.ts'
import { parseStatus } from '../commands/status.ts'

/** One side of the demo: a directory with a folder, a key pair and a log, and the ports to use. */
export interface DemoHost {
  readonly name: string
  readonly directory: string
  /** The folder that is kept equal. */
  readonly volume: string
  readonly publicLine: string
  readonly ports: { readonly grpc: number; readonly ssh: number; readonly http: number }
}

/** Makes the folder and the keys of one side. */
export function makeDemoHost(host: Pick<DemoHost, 'name' | 'directory' | 'ports'>): DemoHost {
  const volume = join(host.directory, 'folder')
  mkdirSync(volume, { recursive: true })
  const { privateKeyText, publicLine } = generateKeyPair({ comment: host.name })
  writeFileSync(join(host.directory, 'id_ed25519'), privateKeyText, { mode: 0o600 })
  return { ...host, volume, publicLine }
}

/** The launcher that people start, too. */
const launcher = join(import.meta.dirname, '..', '..', '..', 'bin', 'synd.js')

/** A peer has 10 s to drain (README, Commands and exit codes). */
const longestDrainMs = 12_000

/** A real `synd run` in a process of its own, for one side of the demo. */
export class DemoPeer {
  readonly #host: DemoHost
  readonly #other: DemoHost
  #child: ChildProcess | null = null

  constructor({ host, other }: { readonly host: DemoHost; readonly other: DemoHost }) {
    this.#host = host
    this.#other = other
  }

  start(): void {
    const { directory, ports, volume, name } = this.#host
    writeFileSync(join(directory, 'authorized_keys'), `${this.#other.publicLine}\n`)
    const output = openSync(this.#logPath(), 'w')
    this.#child = spawn(process.execPath, [launcher, 'run'], {
      // A process group of its own: Ctrl-C reaches only the demo, which then stops both.
      detached: true,
      stdio: ['ignore', output, output],
      env: environmentWith({
        SYND_VOLUME: volume,
        SYND_PEER_NAME: name,
        SYND_PEERS: `127.0.0.1:${this.#other.ports.grpc}`,
        SYND_GRPC_LISTEN: `127.0.0.1:${ports.grpc}`,
        SYND_SSH_LISTEN: `127.0.0.1:${ports.ssh}`,
        SYND_HTTP_LISTEN: `127.0.0.1:${ports.http}`,
        SYND_SSH_KEY: join(directory, 'id_ed25519'),
        SYND_SSH_AUTHORIZED_KEYS: join(directory, 'authorized_keys'),
      }),
    })
    closeSync(output)
  }

  /** Whether it says that it is in sync; false while it does not answer. Throws when it has ended. */
  async isInSync(): Promise<boolean> {
    this.demandRunning()
    const httpListen = { host: '127.0.0.1', port: this.#host.ports.http }
    try {
      const { status, body } = await askLocal({ httpListen }, { method: 'GET', path: '/status' })
      return status === 200 && parseStatus(body).inSync
    } catch (error) {
      if (error instanceof SyndError && error.code === 'unreachable') return false
      throw error
    }
  }

  /** Throws, with its last words, when it has ended. */
  demandRunning(): void {
    if (!this.#hasEnded()) return
    const lines = readFileSync(this.#logPath(), 'utf8').split('\n')
    const words = lines.findLast((line) => line.startsWith('synd: '))?.slice('synd: '.length)
    const how = this.#child?.signalCode ?? `exit code ${this.#child?.exitCode}`
    throw new SyndError('io', `peer ${this.#host.name} has ended: ${words ?? how}`)
  }

  /** Asks it to drain; kills it when it does not, or when `hurry` aborts. */
  async stop(hurry: AbortSignal): Promise<void> {
    const child = this.#child
    if (child === null || this.#hasEnded()) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const signal = AbortSignal.any([hurry, AbortSignal.timeout(longestDrainMs)])
    signal.addEventListener('abort', () => child.kill('SIGKILL'))
    await ended
  }

  #hasEnded(): boolean {
    return (
      this.#child !== null && (this.#child.exitCode !== null || this.#child.signalCode !== null)
    )
  }

  #logPath(): string {
    return join(this.#host.directory, 'synd.log')
  }
}
