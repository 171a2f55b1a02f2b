import { expect, test } from 'vitest'
import { systemClock } from '../../src/cli/host.ts'

test('who sleeps wakes after the delay, and at once when the signal aborts or has', async () => {
  const beginMs = systemClock.monotonicMs()
  await systemClock.sleep(30)
  expect(systemClock.monotonicMs() - beginMs).toBeGreaterThanOrEqual(29)
  const ended = new AbortController()
  const slept = systemClock.sleep(3_600_000, ended.signal)
  ended.abort()
  await slept
  await systemClock.sleep(3_600_000, ended.signal)
})
