/* The thread of constant-reader.ts: reads every file below a directory, again and again. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { judges } from './judges.ts'
import type { Reading, ReadingSetup, TornRead } from './constant-reader.ts'

/** So many paths are gone through before those who write get a breath: the machine may have two cores. */
const pathsAtOnce = 200
const breathMs = 5

const { directory, program, isOver }: ReadingSetup = workerData
const { reads, faultOf } = judges[program]
const versions = new Set<string>()
const faults: TornRead[] = []
let judged = 0

function read(path: string): void {
  if (!reads.test(path)) return
  let content: Buffer
  try {
    content = readFileSync(`${directory}/${path}`)
  } catch {
    // It is not there, or is something else by now.
    return
  }
  const fault = faultOf(path, content)
  judged++
  const digest = createHash('sha256').update(content).digest('hex')
  const version = `${path} ${digest}`
  const isNew = !versions.has(version)
  versions.add(version)
  if (fault !== null && isNew && faults.length < 1000)
    faults.push({ path, sizeBytes: content.length, digest, text: fault })
}

/** What is there at the moment; a directory may go while it is listed. */
function list(): string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
}

async function run(): Promise<void> {
  for (let isLast = false; !isLast;) {
    // What is there at the end is read too.
    isLast = Atomics.load(isOver, 0) !== 0
    for (const [index, path] of list().entries()) {
      read(path)
      if (index % pathsAtOnce === pathsAtOnce - 1) await delay(breathMs)
    }
    await delay(breathMs)
  }
  const reading: Reading = { judged, versions: versions.size, faults }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, no window's
  parentPort?.postMessage(reading)
}

void run()
