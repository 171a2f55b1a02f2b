import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** A line with the length and the digest of what follows it: half of such a file, or half of two, is seen. One char a byte. */
export function selfDescribing(body: string): string {
  const digest = createHash('sha256').update(body, 'latin1').digest('hex')
  return `${body.length} ${digest}\n${body}`
}

/** What was wrong with one read, and when that was (Unix ms). */
export interface ReadFault {
  readonly name: string
  readonly atMs: number
  readonly text: string
}

/** What somebody found who read self-describing files all the time. */
export interface Reading {
  readonly reads: number
  /** Different whole versions that were seen, all files together. */
  readonly versions: number
  /** Files that were not there, or not whole; the first hundred. */
  readonly faults: readonly ReadFault[]
}

/** Reads the named files of a directory in a thread, one by chance after another, until `end`. */
export class WholeFileReader {
  readonly #thread: Worker
  readonly #isOver: Int32Array

  private constructor(thread: Worker, isOver: Int32Array) {
    this.#thread = thread
    this.#isOver = isOver
  }

  static async start(directory: string, names: readonly string[]): Promise<WholeFileReader> {
    const isOver = new Int32Array(new SharedArrayBuffer(4))
    const thread = new Worker(program, { eval: true, workerData: { directory, names, isOver } })
    await once(thread, 'message')
    return new WholeFileReader(thread, isOver)
  }

  async end(): Promise<Reading> {
    Atomics.store(this.#isOver, 0, 1)
    const [found] = await once(this.#thread, 'message')
    await this.terminate()
    return found
  }

  async terminate(): Promise<void> {
    await this.#thread.terminate()
  }
}

const program = `
  const { readFileSync } = require('node:fs')
  const { createHash } = require('node:crypto')
  const { parentPort, workerData: { directory, names, isOver } } = require('node:worker_threads')
  const faults = []
  const versions = new Set()
  let reads = 0
  parentPort.postMessage('started')
  const readOnce = () => {
    const name = names[Math.floor(Math.random() * names.length)]
    const fault = (text) => { if (faults.length < 100) faults.push({ name, atMs: Date.now(), text }) }
    reads++
    try {
      const text = readFileSync(directory + '/' + name, 'latin1')
      const line = text.slice(0, text.indexOf('\\n'))
      const body = text.slice(line.length + 1)
      const digest = createHash('sha256').update(body, 'latin1').digest('hex')
      if (line === body.length + ' ' + digest) versions.add(name + ' ' + digest)
      else fault(line.slice(0, 100) + ' and ' + body.length + ' bytes')
    } catch (error) {
      fault(String(error))
    }
  }
  const turn = () => {
    for (let n = 0; n < 50; n++) readOnce()
    if (Atomics.load(isOver, 0) === 1) parentPort.postMessage({ reads, versions: versions.size, faults })
    // A breath for who writes: the machine may have two cores.
    else setTimeout(turn, 1)
  }
  turn()
`
