import { statSync, watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'

/** Events are exact, but may be lost; then this finds it. */
const lookEveryMs = 200

const deadlineMs = 120_000

/** Sees, by inotify, when files appear in one directory. */
export class Appearances {
  readonly #directory: string
  readonly #watcher: FSWatcher
  #onEvent: () => void = () => undefined

  constructor(directory: string) {
    this.#directory = directory
    this.#watcher = watch(directory, () => this.#onEvent())
  }

  /** Resolves with the time by `performance.now()` at which the file is there with all its bytes. */
  async of(name: string, sizeBytes: number): Promise<number> {
    const path = join(this.#directory, name)
    return new Promise((resolve, reject) => {
      const beginMs = performance.now()
      const timer = setInterval(() => this.#onEvent(), lookEveryMs)
      const end = (): void => {
        clearInterval(timer)
        this.#onEvent = () => undefined
      }
      this.#onEvent = () => {
        const isThere = statSync(path, { throwIfNoEntry: false })?.size === sizeBytes
        const nowMs = performance.now()
        if (isThere) {
          end()
          resolve(nowMs)
        } else if (nowMs - beginMs > deadlineMs) {
          end()
          reject(new Error(`${path} did not appear within ${deadlineMs / 1000} s`))
        }
      }
      this.#onEvent()
    })
  }

  stop(): void {
    this.#watcher.close()
  }
}
