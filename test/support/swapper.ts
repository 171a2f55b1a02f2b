import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** Somebody who swaps a directory (or file) for a symlink and back, as fast as he can, in a thread of his own. */
export interface Swapper extends AsyncDisposable {
  /** How often the symlink stood there so far. */
  swaps(): number
}

/** `place` is swapped for a symlink to `outside`; absolute paths. */
export async function startSwapper(place: string, outside: string): Promise<Swapper> {
  const counter = new Int32Array(new SharedArrayBuffer(8))
  const thread = new Worker(program, { eval: true, workerData: { place, outside, counter } })
  await once(thread, 'message')
  return {
    swaps: () => Atomics.load(counter, 0),
    [Symbol.asyncDispose]: async () => {
      Atomics.store(counter, 1, 1)
      await once(thread, 'exit')
    },
  }
}

const program = `
  const { renameSync, symlinkSync, unlinkSync, rmSync } = require('node:fs')
  const { parentPort, workerData: { place, outside, counter } } = require('node:worker_threads')
  const aside = place + '-aside'
  const attempt = (call) => { try { call(); return true } catch { return false } }
  parentPort.postMessage('started')
  while (Atomics.load(counter, 1) === 0) {
    if (!attempt(() => renameSync(place, aside))) continue
    if (attempt(() => symlinkSync(outside, place))) {
      Atomics.add(counter, 0, 1)
      attempt(() => unlinkSync(place))
    }
    // Whatever was put at the place meanwhile makes way for what belongs there.
    while (!attempt(() => renameSync(aside, place))) rmSync(place, { recursive: true, force: true })
  }
`
