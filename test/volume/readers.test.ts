import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import type { Observation } from '../../src/core/observation.ts'
import { make } from '../conformance/volume-subject.ts'
import { realVolume } from '../support/real-volume.ts'
import { demandApplied, put, symlinkEntry } from '../support/volume-fixture.ts'

/** Bytes of one version; all of them are the same letter, so that half of one and half of another shows. */
const versionBytes = 20_000

describe('rule 22: somebody who reads a file all the time', () => {
  test('sees the old or the new version through 500 replaces, never none and never half of one (G3)', async () => {
    await using under = realVolume()
    const volume = await under.open()
    const versionOf = (turn: number): string => 'abcdefgh'.charAt(turn % 8).repeat(versionBytes)
    let last = demandApplied(await put(volume, 'f', { content: versionOf(0) })).observation
    await using reader = await startReader(join(under.path, 'f'))
    for (let turn = 1; turn <= 500 || reader.reads() < 500; turn++) {
      const applied = demandApplied(
        await put(volume, 'f', { content: versionOf(turn), expected: last }),
      )
      last = applied.observation
      if (applied.hold !== null) await volume.releaseHolds([applied.hold])
    }
    expect(reader.faults()).toEqual([])
  })

  test('never misses the name while file and symlink take turns', async () => {
    await using under = realVolume()
    const volume = await under.open()
    const content = 'a'.repeat(versionBytes)
    under.hands.write('target', content)
    let last: Observation | null = demandApplied(await put(volume, 'f', { content })).observation
    await using reader = await startReader(join(under.path, 'f'))
    for (let turn = 0; turn < 200 || reader.reads() < 200; turn++) {
      const applied = demandApplied(
        turn % 2 === 0
          ? await make(volume, symlinkEntry('f', 'target'), last)
          : await put(volume, 'f', { content, expected: last }),
      )
      last = applied.observation
      if (applied.hold !== null) await volume.releaseHolds([applied.hold])
    }
    expect(reader.faults()).toEqual([])
  })
})

interface Reader extends AsyncDisposable {
  reads(): number
  faults(): readonly string[]
}

async function startReader(path: string): Promise<Reader> {
  const counter = new Int32Array(new SharedArrayBuffer(8))
  const faults: string[] = []
  const thread = new Worker(program, { eval: true, workerData: { path, counter, versionBytes } })
  await once(thread, 'message')
  thread.on('message', (fault: string) => void faults.push(fault))
  return {
    reads: () => Atomics.load(counter, 0),
    faults: () => faults,
    [Symbol.asyncDispose]: async () => {
      Atomics.store(counter, 1, 1)
      await once(thread, 'exit')
    },
  }
}

const program = `
  const { readFileSync } = require('node:fs')
  const { parentPort, workerData: { path, counter, versionBytes } } = require('node:worker_threads')
  parentPort.postMessage('started')
  while (Atomics.load(counter, 1) === 0) {
    try {
      const text = readFileSync(path, 'latin1')
      const isWhole = text.length === versionBytes && text === text.charAt(0).repeat(versionBytes)
      if (!isWhole) parentPort.postMessage('half a file: ' + text.length)
    } catch (error) {
      parentPort.postMessage(String(error))
    }
    Atomics.add(counter, 0, 1)
  }
`
