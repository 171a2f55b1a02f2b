import { readFileSync, statSync } from 'node:fs'
import type { KeyFingerprint } from '../core/credentials.ts'
import { SyndError } from '../core/errors.ts'
import {
  parseAuthorizedKeys,
  requireKeys,
  type AuthorizedKey,
  type AuthorizedKeyList,
} from './authorized-keys.ts'
import { FilePoll } from './file-poll.ts'

type Log = (level: 'info' | 'warn', message: string, fields: Record<string, unknown>) => void

/** 1,000 RSA keys of 16,384 bits; what is larger is no such file. */
const maxFileBytes = 4 * 1024 * 1024

/**
 * The keys that may talk to this peer, as the file says now. While Synd runs an emptied or removed file admits nobody, as with sshd; one that
 * cannot be read leaves the keys as they were.
 */
export class AuthorizedKeys {
  readonly #path: string
  readonly #log: Log
  readonly #poll: FilePoll
  readonly #listeners = new Set<() => void>()
  #list: AuthorizedKeyList = { keys: [], refusals: [] }

  constructor(options: { path: string; log: Log; pollMs?: number }) {
    this.#path = options.path
    this.#log = options.log
    this.#poll = new FilePoll({
      paths: [options.path],
      changed: () => this.#readAgain(),
      ...(options.pollMs === undefined ? {} : { pollMs: options.pollMs }),
    })
  }

  /** Reads the file; throws `bad-key` when it cannot be read or admits nobody. */
  start(): void {
    this.#poll.start()
    try {
      const list = parseAuthorizedKeys(readList(this.#path))
      requireKeys(this.#path, list)
      this.#take(list)
    } catch (error) {
      this.#poll.stop()
      throw error
    }
  }

  stop(): void {
    this.#poll.stop()
    this.#listeners.clear()
  }

  current(): readonly AuthorizedKey[] {
    return this.#list.keys
  }

  has(fingerprint: KeyFingerprint): boolean {
    return this.#list.keys.some((key) => key.fingerprint === fingerprint)
  }

  /** Called after each change of the keys, until the function it returns is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #readAgain(): void {
    let list: AuthorizedKeyList
    try {
      list = isAbsent(this.#path)
        ? { keys: [], refusals: [] }
        : parseAuthorizedKeys(readList(this.#path))
    } catch (error) {
      this.#log('warn', 'authorized_keys cannot be read; the keys known stay', {
        path: this.#path,
        reason: error instanceof Error ? error.message : String(error),
      })
      return
    }
    this.#take(list)
  }

  #take(list: AuthorizedKeyList): void {
    const before = fingerprintsOf(this.#list)
    this.#list = list
    for (const { line, reason } of list.refusals) {
      this.#log('warn', 'line of authorized_keys refused', { path: this.#path, line, reason })
    }
    if (list.keys.length === 0) {
      this.#log('warn', 'authorized_keys admits nobody', { path: this.#path })
    }
    if (before === fingerprintsOf(list)) return
    this.#log('info', 'authorized keys', { path: this.#path, keys: list.keys.length })
    for (const listener of this.#listeners) listener()
  }
}

function isAbsent(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) === undefined
}

function fingerprintsOf(list: AuthorizedKeyList): string {
  return list.keys
    .map((key) => key.fingerprint)
    .toSorted()
    .join()
}

function readList(path: string): string {
  const name = `SYND_SSH_AUTHORIZED_KEYS: ${path}`
  try {
    const stat = statSync(path)
    if (!stat.isFile()) throw new SyndError('bad-key', `${name} is not a file`)
    if (stat.size > maxFileBytes) throw new SyndError('bad-key', `${name} has ${stat.size} bytes`)
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (cause instanceof SyndError) throw cause
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new SyndError('bad-key', `${name} ${reasonOf(code)}`, { cause })
  }
}

function reasonOf(code: string): string {
  if (code === 'ENOENT') return 'does not exist; put the public line of each peer into it'
  if (code === 'EACCES') return 'may not be read by this user; give it to the user that runs synd'
  return `cannot be read (${code})`
}
