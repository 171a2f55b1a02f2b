import { statSync } from 'node:fs'

/** Editors, config management and Kubernetes change files behind our back; a removed key must be out within seconds. */
const defaultPollMs = 1000

/**
 * Tells when files have changed, by looking at them each second: inotify misses the symlinks that Kubernetes swaps. A change is told once the
 * files were the same twice: an editor that truncates and writes would show an empty file for a moment.
 */
export class FilePoll {
  readonly #paths: readonly string[]
  readonly #pollMs: number
  readonly #changed: () => void
  #toldMark = ''
  #seenMark = ''
  #timer: NodeJS.Timeout | null = null

  constructor(options: { paths: readonly string[]; pollMs?: number; changed: () => void }) {
    this.#paths = options.paths
    this.#pollMs = options.pollMs ?? defaultPollMs
    this.#changed = options.changed
  }

  /** Call it before the files are read, so that no change falls between. */
  start(): void {
    this.#toldMark = this.#seenMark = this.#mark()
    this.#timer ??= setInterval(() => this.#poll(), this.#pollMs)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #poll(): void {
    const mark = this.#mark()
    const isSettled = mark === this.#seenMark
    this.#seenMark = mark
    if (!isSettled || mark === this.#toldMark) return
    this.#toldMark = mark
    this.#changed()
  }

  #mark(): string {
    return this.#paths.map(markOf).join(' ')
  }
}

/** Differs whenever the file does, also when a symlink on the way to it was swapped. */
function markOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(':')
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  }
}
