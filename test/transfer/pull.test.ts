import { afterEach, expect, test } from 'vitest'
import type { Pulled } from '../../src/engine/ports.ts'
import { nastyNames } from '../support/nasty-names.ts'
import { memoryStages } from './memory-stage.ts'
import { startPair } from './peers.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0)) await stop()
})

async function pair(options: Parameters<typeof startPair>[0] = {}) {
  const started = await startPair(options)
  cleanups.push(started.stop)
  return started
}

test('quick', async () => {
  const peer = await pair()
  const requests = nastyNames.map((name, i) => peer.volume.put(`dir/${name}`, `content ${i}`))
  const stages = memoryStages()
  const results: Pulled[] = []
  for await (const pulled of peer.transfer.pull(
    peer.target,
    requests,
    stages.createStage,
    AbortSignal.timeout(20000),
  ))
    results.push(pulled)
  console.log(
    results.filter((r) => r.kind !== 'pulled'),
    peer.record,
    peer.sink.record,
  )
  expect(results.every((r) => r.kind === 'pulled')).toBe(true)
})
