import { mkdirSync, mkdtempSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'

let cluster: Cluster

afterEach(async () => cluster.stop())

test('with the index elsewhere a volume that was not mounted at the start deletes nothing on the others', async () => {
  cluster = await Cluster.make(['alpha', 'beta'], {
    settingsOf: (name) =>
      name === 'alpha' ? { SYND_STATE_DIR: mkdtempSync(join(tmpdir(), 'synd-state-')) } : {},
  })
  await cluster.start()
  const { alpha, beta } = { alpha: cluster.member('alpha'), beta: cluster.member('beta') }
  for (let n = 0; n < 5; n++) alpha.hands.write(`file-${n}`, `content ${n}`)
  await cluster.untilInSync()
  expect(await alpha.process.stop()).toBe(0)
  alpha.process.start()
  await cluster.untilInSync()
  expect(alpha.process.output).not.toContain('another volume')

  await alpha.process.stop()
  renameSync(alpha.volume, `${alpha.volume}-unmounted`)
  mkdirSync(alpha.volume)
  alpha.process.start()
  await cluster.untilInSync()
  expect(alpha.process.output).toContain('another volume')
  expect(beta.hands.tree().size).toBe(5)
  expect(alpha.hands.tree().size).toBe(5)
})
