import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Program } from './judges.ts'

/** A file that was not whole when it was read. */
export interface TornRead {
  readonly path: string
  readonly sizeBytes: number
  /** SHA-256 of what was read. */
  readonly digest: string
  readonly text: string
}

/** What somebody found who read all the time. */
export interface Reading {
  /** Reads of files that tell whether they are whole. */
  readonly judged: number
  /** Different contents among them, all files together. */
  readonly versions: number
  /** Each content of each file once; the first thousand. */
  readonly faults: readonly TornRead[]
}

/** What the thread is started with. */
export interface ReadingSetup {
  readonly directory: string
  readonly program: Program
  readonly isOver: Int32Array
}

/** Reads the files of a program below a directory in a thread, one after another, until `end`. */
export class ConstantReader {
  readonly #thread: Worker
  readonly #isOver: Int32Array

  private constructor(thread: Worker, isOver: Int32Array) {
    this.#thread = thread
    this.#isOver = isOver
  }

  /** The directory need not be there yet. */
  static async start(directory: string, program: Program): Promise<ConstantReader> {
    const isOver = new Int32Array(new SharedArrayBuffer(4))
    const workerData: ReadingSetup = { directory, program, isOver }
    const thread = new Worker(new URL('./reading-thread.ts', import.meta.url), { workerData })
    await once(thread, 'online')
    return new ConstantReader(thread, isOver)
  }

  async end(): Promise<Reading> {
    Atomics.store(this.#isOver, 0, 1)
    const [reading] = await once(this.#thread, 'message')
    await this.terminate()
    return reading
  }

  async terminate(): Promise<void> {
    await this.#thread.terminate()
  }
}
