import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import type { Kept } from '../new-files.ts'

/** Another program that keeps directories equal. */
export interface Rival {
  /** Of the program, which must be on the PATH. */
  readonly name: string
  /** Files in a run: fewer of who takes seconds for one. */
  readonly files: number
  start(ground: Ground): Promise<Kept>
}

const patienceMs = 10_000

/** Where a rival may work: two directories to keep equal, and room for its own files. */
export class Ground {
  readonly from: string
  readonly to: string
  readonly room: string
  readonly #remove: () => void
  readonly #ends: (() => Promise<unknown>)[] = []

  constructor() {
    const { path, remove } = temporaryDirectory()
    this.#remove = remove
    this.room = path
    this.from = join(path, 'from')
    this.to = join(path, 'to')
    for (const directory of [this.from, this.to]) mkdirSync(directory)
  }

  /** Runs a program until `stop`; its home is the room. */
  run(program: string, words: readonly string[]): void {
    const env = { PATH: process.env['PATH'] ?? '', HOME: this.room }
    const child = spawn(program, words, { env, stdio: 'ignore' })
    const ended = once(child, 'close')
    this.#ends.push(async () => {
      // Asked first: whoever has processes of its own, as syncthing, ends them then.
      child.kill('SIGTERM')
      const insist = setTimeout(() => child.kill('SIGKILL'), patienceMs)
      await ended
      clearTimeout(insist)
    })
  }

  async stop(): Promise<void> {
    await Promise.all(this.#ends.map((end) => end()))
    this.#remove()
  }
}
