import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { createHash } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'

const files = 200
const rounds = 10

let cluster: Cluster
const readers: Worker[] = []

afterEach(async () => {
  await Promise.all(readers.splice(0).map((reader) => reader.terminate()))
  await cluster.stop()
})

test(
  'who reads the files all the time, while 2,000 updates of them arrive, misses none and never sees half of one (G3)',
  { timeout: 300_000 },
  async () => {
    cluster = await Cluster.make(['alpha', 'beta'], { settings: { SYND_DURABILITY: 'none' } })
    await cluster.start()
    const { hands } = cluster.member('alpha')
    const { volume } = cluster.member('beta')
    const write = (round: number): void => {
      for (let n = 0; n < files; n++) hands.replace(`d/${n}`, selfDescribing(n, round))
    }
    mkdirSync(join(cluster.member('alpha').volume, 'd'))
    write(0)
    await cluster.untilInSync()
    const reader = await startReader(join(volume, 'd'))
    for (let round = 1; round <= rounds; round++) {
      write(round)
      await until(() => cluster.difference(), { deadlineMs: 120_000, everyMs: 100 })
    }
    const { reads, versions, faults } = await reader.end()
    expect(faults).toEqual([])
    expect(reads).toBeGreaterThan(files * rounds)
    // It did read while they changed, and not only the first and last of each.
    expect(versions).toBeGreaterThan(files * 2)
  },
)

/** A line with the length and the digest of what follows it; some are small, some larger than what is kept in memory until it is verified. */
function selfDescribing(file: number, round: number): string {
  const sizeBytes = file % 20 === 0 ? 300_000 + round : 100 * file + round
  const body = `${file} ${round} `.repeat(sizeBytes / 4).slice(0, sizeBytes)
  return `${body.length} ${createHash('sha256').update(body).digest('hex')}\n${body}`
}

async function startReader(directory: string) {
  const isOver = new Int32Array(new SharedArrayBuffer(4))
  const reader = new Worker(program, { eval: true, workerData: { directory, files, isOver } })
  readers.push(reader)
  await once(reader, 'message')
  return {
    end: async (): Promise<{ reads: number; versions: number; faults: string[] }> => {
      Atomics.store(isOver, 0, 1)
      const [found] = await once(reader, 'message')
      return found
    },
  }
}

const program = `
  const { readFileSync } = require('node:fs')
  const { createHash } = require('node:crypto')
  const { parentPort, workerData: { directory, files, isOver } } = require('node:worker_threads')
  const faults = []
  const versions = new Set()
  let reads = 0
  parentPort.postMessage('started')
  const readOnce = () => {
    const name = directory + '/' + Math.floor(Math.random() * files)
    reads++
    try {
      const text = readFileSync(name, 'latin1')
      const line = text.slice(0, text.indexOf('\\n'))
      const body = text.slice(line.length + 1)
      const digest = createHash('sha256').update(body).digest('hex')
      if (line === body.length + ' ' + digest) versions.add(digest)
      else faults.push(name + ': ' + line + ' and ' + body.length + ' bytes')
    } catch (error) {
      faults.push(String(error))
    }
  }
  const turn = () => {
    for (let n = 0; n < 50; n++) readOnce()
    if (Atomics.load(isOver, 0) === 1) parentPort.postMessage({ reads, versions: versions.size, faults: faults.slice(0, 20) })
    // A breath for who writes: the machine may have two cores.
    else setTimeout(turn, 1)
  }
  turn()
`
