import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseHistory } from './history.ts'
import { runHistory } from './world.ts'

/**
 * Histories that once failed, as short as they could be made; the first line of each says what it shows. SIM_SCRIPT=test/simulation/found/…
 * runs one of them with SIM_TRACE.
 */
const folder = new URL('./found/', import.meta.url)

test.each(readdirSync(folder))('what was found once holds: %s', async (name) => {
  const history = parseHistory(readFileSync(new URL(name, folder), 'utf8'))
  const { report } = await runHistory(history)
  expect(report).toBe('')
})
