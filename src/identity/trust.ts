import { readFileSync, statSync } from 'node:fs'
import type { KeyFingerprint } from '../core/credentials.ts'
import { SyndError } from '../core/errors.ts'
import {
  parseAuthorizedKeys,
  requireKeys,
  type AuthorizedKey,
  type AuthorizedKeyList,
} from './authorized-keys.ts'

type Log = (level: 'info' | 'warn', message: string, fields: Record<string, unknown>) => void

/** Editors, config management and Kubernetes change the file behind our back; a removed key must be out within seconds. */
const pollMs = 1000
/** 1,000 RSA keys of 16,384 bits; what is larger is no such file. */
const maxFileBytes = 4 * 1024 * 1024

/**
 * The keys that may talk to this peer, as the file says now. While Synd runs an emptied or removed file admits nobody, as with sshd; one that
 * cannot be read leaves the keys as they were.
 */
export class AuthorizedKeys {
  readonly #path: string
  readonly #log: Log
  readonly #pollMs: number
  readonly #listeners = new Set<() => void>()
  #list: AuthorizedKeyList = { keys: [], refusals: [] }
  #readMark = ''
  #seenMark = ''
  #timer: NodeJS.Timeout | null = null

  constructor(options: { path: string; log: Log; pollMs?: number }) {
    this.#path = options.path
    this.#log = options.log
    this.#pollMs = options.pollMs ?? pollMs
  }

  /** Reads the file; throws `bad-key` when it cannot be read or admits nobody. */
  start(): void {
    this.#readMark = this.#seenMark = markOf(this.#path)
    const list = parseAuthorizedKeys(readList(this.#path))
    requireKeys(this.#path, list)
    this.#take(list)
    this.#timer = setInterval(() => this.#poll(), this.#pollMs)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
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

  #poll(): void {
    const mark = markOf(this.#path)
    // Read once it has been the same twice: an editor that truncates and writes would shut everybody out for a moment.
    const isSettled = mark === this.#seenMark
    this.#seenMark = mark
    if (!isSettled || mark === this.#readMark) return
    let text: string
    try {
      text = mark === absent ? '' : readList(this.#path)
    } catch (error) {
      this.#readMark = mark
      this.#log('warn', 'authorized_keys cannot be read; the keys known stay', { error })
      return
    }
    this.#readMark = mark
    this.#take(parseAuthorizedKeys(text))
  }

  #take(list: AuthorizedKeyList): void {
    const before = fingerprintsOf(this.#list)
    this.#list = list
    for (const { line, reason } of list.refusals) {
      this.#log('warn', 'line of authorized_keys refused', { path: this.#path, line, reason })
    }
    if (list.keys.length === 0)
      this.#log('warn', 'authorized_keys admits nobody', { path: this.#path })
    if (before === fingerprintsOf(list)) return
    this.#log('info', 'authorized keys', { path: this.#path, keys: list.keys.length })
    for (const listener of this.#listeners) listener()
  }
}

const absent = 'absent'

/** Changes whenever the file does, also when a symlink on the way to it is swapped (Kubernetes Secrets). */
function markOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(':')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    return code === 'ENOENT' || code === 'ENOTDIR' ? absent : 'unreadable'
  }
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
    const why =
      code === 'ENOENT'
        ? 'does not exist; put the public line of each peer into it'
        : code === 'EACCES'
          ? 'may not be read by this user; give it to the user that runs synd'
          : `cannot be read (${code})`
    throw new SyndError('bad-key', `${name} ${why}`, { cause })
  }
}
