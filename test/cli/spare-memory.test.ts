import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { giveBackMemory } from '../../src/cli/spare-memory.ts'

const mebibyte = 1024 * 1024

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A process whose figures the test sets. */
function playedGauge() {
  const played = { cpuMs: 0, heapBytes: 100 * mebibyte, collections: 0 }
  const gauge = {
    cpuMs: () => played.cpuMs,
    heapBytes: () => played.heapBytes,
    collect: async () => {
      played.collections++
      played.heapBytes = 30 * mebibyte
    },
  }
  return { played, gauge }
}

const look = async (): Promise<unknown> => vi.advanceTimersByTimeAsync(1_000)

test('a quiet process collects what a burst left, once', async () => {
  const { played, gauge } = playedGauge()
  const stop = giveBackMemory(gauge, { lookMs: 1_000 })
  await look()
  await look()
  await look()
  expect(played.collections).toBe(1)
  played.heapBytes += 10 * mebibyte
  await look()
  expect(played.collections).toBe(1)
  played.heapBytes += 10 * mebibyte
  await look()
  expect(played.collections).toBe(2)
  stop()
})

test('a process that works is never made to wait for a collection', async () => {
  const { played, gauge } = playedGauge()
  const stop = giveBackMemory(gauge, { lookMs: 1_000 })
  for (let n = 0; n < 10; n++) {
    played.cpuMs += 200
    await look()
  }
  expect(played.collections).toBe(0)
  await look()
  expect(played.collections).toBe(1)
  stop()
})

test('a real process gives the memory of a burst back to the system', async () => {
  const module = join(import.meta.dirname, '..', '..', 'src', 'cli', 'spare-memory.ts')
  const script = `
    import { giveBackMemory, ownMemory } from ${JSON.stringify(module)}
    import { setTimeout as delay } from 'node:timers/promises'
    const resident = () => process.memoryUsage.rss()
    let kept = []
    for (let n = 0; n < 1_000_000; n++) kept.push({ n, text: 'file ' + n })
    const burst = resident()
    kept = []
    giveBackMemory(ownMemory(), { lookMs: 100 })
    while (resident() > burst - 64 * ${mebibyte}) await delay(20)
    console.log('given back')
    process.exit(0)
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  try {
    await once(child, 'close')
    expect(said).toBe('given back\n')
  } finally {
    child.kill('SIGKILL')
  }
}, 60_000)
