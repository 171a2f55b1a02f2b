import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Cluster, type Member } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'
import { untilAtRest } from './at-rest.ts'

// For a slow, busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const files = 30

let cluster: Cluster
let alpha: Member
let beta: Member

afterEach(async () => cluster.stop())

async function start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  cluster = await Cluster.make(['alpha', 'beta'], {
    settingsOf: (name) => (name === 'alpha' ? settings : {}),
  })
  alpha = cluster.member('alpha')
  beta = cluster.member('beta')
  for (let n = 0; n < files; n++) alpha.hands.write(`file-${n}`, `content ${n}`)
  for (const { process } of cluster.members) process.start()
  await untilAtRest(cluster)
}

/** It says that it halts and why, is not ready, and takes nothing away from the others. */
async function untilHalted(why: RegExp): Promise<void> {
  await until(async () => {
    const volume = (await alpha.process.status())?.volume
    const isHalted = volume?.state === 'halted' && why.test(volume.haltedBecause ?? '')
    return isHalted ? null : JSON.stringify(volume)
  })
  const { status, text } = await alpha.process.get('/readyz')
  expect(status).toBe(503)
  expect(text).toMatch(why)
  beta.hands.write('file-1', 'edited meanwhile')
  beta.hands.write('new', 'made meanwhile')
  expect((await beta.process.status())?.volume.files).toBeGreaterThanOrEqual(files)
}

/** Nothing was deleted and no edit lost. */
async function demandAll(): Promise<void> {
  await untilAtRest(cluster)
  expect(beta.hands.tree().size).toBe(files + 1)
  expect(beta.hands.read('file-1')).toBe('edited meanwhile')
  expect(alpha.hands.read('new')).toBe('made meanwhile')
}

describe.each([
  ['with the index in it', false],
  ['with the index elsewhere', true],
])('a volume %s', (_, isStateElsewhere) => {
  const settings = () =>
    isStateElsewhere ? { SYND_STATE_DIR: mkdtempSync(join(tmpdir(), 'synd-state-')) } : {}

  test('that is emptied with its .synd halts the process, and after a restart is filled again (rule 20)', async () => {
    await start(settings())
    for (const name of readdirSync(alpha.volume))
      rmSync(join(alpha.volume, name), { recursive: true })
    await untilHalted(/emptied or replaced/)
    await alpha.process.stop()
    alpha.process.start()
    await demandAll()
  })

  test('that is removed and made anew halts the process, and after a restart is filled again (rule 20)', async () => {
    await start(settings())
    rmSync(alpha.volume, { recursive: true })
    await untilHalted(/is gone/)
    mkdirSync(alpha.volume)
    await untilHalted(/another directory/)
    await alpha.process.kill()
    alpha.process.start()
    await demandAll()
  })

  test('that is moved away and back goes on by itself (rule 20)', async () => {
    await start(settings())
    renameSync(alpha.volume, `${alpha.volume}-away`)
    await untilHalted(/is gone/)
    renameSync(`${alpha.volume}-away`, alpha.volume)
    await demandAll()
    expect((await alpha.process.status())?.volume.haltedBecause).toBeNull()
  })
})
