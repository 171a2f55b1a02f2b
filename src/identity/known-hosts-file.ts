import { readFileSync } from 'node:fs'
import type { HostKeyVerdict } from '../core/credentials.ts'
import { SyndError } from '../core/errors.ts'
import { FilePoll } from './file-poll.ts'
import { parseKnownHosts, type KnownHosts } from './known-hosts.ts'

type Log = (level: 'info' | 'warn', message: string, fields: Record<string, unknown>) => void

/** SYND_SSH_KNOWN_HOSTS as the file says now; without a file nobody is known. What cannot be read while running leaves it as it was. */
export class KnownHostsFile {
  readonly #path: string | null
  readonly #log: Log
  readonly #poll: FilePoll
  readonly #listeners = new Set<() => void>()
  #hosts: KnownHosts = parseKnownHosts('')

  constructor(options: { path: string | null; log: Log; pollMs?: number }) {
    this.#path = options.path
    this.#log = options.log
    this.#poll = new FilePoll({
      paths: options.path === null ? [] : [options.path],
      changed: () => this.#readAgain(),
      ...(options.pollMs === undefined ? {} : { pollMs: options.pollMs }),
    })
  }

  /** Throws `bad-key` when the file cannot be read. */
  start(): void {
    if (this.#path === null) return
    this.#poll.start()
    try {
      this.#read(this.#path)
    } catch (error) {
      this.#poll.stop()
      throw error
    }
  }

  stop(): void {
    this.#poll.stop()
    this.#listeners.clear()
  }

  judge(host: string, port: number, keyBlob: Buffer): HostKeyVerdict {
    return this.#hosts.judge(host, port, keyBlob)
  }

  keyTypes(host: string, port: number): readonly string[] {
    return this.#hosts.keyTypes(host, port)
  }

  /** Called after each change of the file. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  #readAgain(): void {
    if (this.#path === null) return
    try {
      this.#read(this.#path)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#log('warn', 'known_hosts cannot be read; what is known stays', { reason })
      return
    }
    this.#log('info', 'known hosts', { path: this.#path })
    for (const listener of this.#listeners) listener()
  }

  #read(path: string): void {
    this.#hosts = parseKnownHosts(readText(path))
    for (const { line, reason } of this.#hosts.refusals)
      this.#log('warn', 'a line of known_hosts is not understood', { path, line, reason })
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    const message = `SYND_SSH_KNOWN_HOSTS: cannot read ${path} (${code}): correct the path or its permissions`
    throw new SyndError('bad-key', message, { cause })
  }
}
