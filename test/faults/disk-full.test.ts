import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'
import {
  canMount,
  mountSmallFileSystem,
  type SmallFileSystem,
} from '../support/small-file-system.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { untilAtRest } from './at-rest.ts'

const sizeBytes = 24 * 1024 * 1024

let cluster: Cluster
let small: SmallFileSystem
const { path: outside, remove } = temporaryDirectory()

afterEach(async () => {
  await cluster.stop()
  small[Symbol.dispose]()
  remove()
}, 120_000)

describe.skipIf(!canMount)('a peer without room', () => {
  test.each([
    ['for files and index', { isVolumeSmall: true, isStateElsewhere: false }],
    ['for files, with the index elsewhere', { isVolumeSmall: true, isStateElsewhere: true }],
    ['for its index, with room for files', { isVolumeSmall: false, isStateElsewhere: true }],
  ])(
    '%s says so, loses nothing, and goes on by itself when there is room',
    { timeout: 240_000 },
    async (_, { isVolumeSmall, isStateElsewhere }) => {
      small = mountSmallFileSystem(sizeBytes)
      const [volume, state] = isVolumeSmall
        ? [join(small.path, 'volume'), join(outside, 'state')]
        : [join(outside, 'volume'), join(small.path, 'state')]
      mkdirSync(volume, { recursive: true })
      mkdirSync(state, { recursive: true })
      cluster = await Cluster.make(['alpha', 'beta'], {
        volumeOf: (name) => (name === 'beta' ? volume : null),
        settingsOf: (name) =>
          name === 'beta' && isStateElsewhere ? { SYND_STATE_DIR: state } : {},
      })
      const alpha = cluster.member('alpha')
      const beta = cluster.member('beta')
      for (let n = 0; n < 20; n++) alpha.hands.write(`old-${n}`, `${n} `.repeat(20_000))
      alpha.hands.write('of-beta', 'before')
      await cluster.start()

      small.fill('fill')
      for (let n = 0; n < 200; n++) alpha.hands.write(`new-${n}`, `${n} `.repeat(1 + n * 100))
      for (let n = 0; n < 10; n++) alpha.hands.write(`old-${n}`, `changed ${n} `.repeat(10_000))
      for (let n = 15; n < 20; n++) alpha.hands.remove(`old-${n}`)
      beta.hands.write('of-beta', 'edited')
      await until(async () => {
        const problems = (await beta.process.status())?.problems ?? []
        return problems.some(({ code }) => code === 'disk-full') ? null : JSON.stringify(problems)
      })
      expect((await beta.process.status())?.inSync).toBe(false)
      expect((await alpha.process.status())?.inSync).toBe(false)
      expect((await beta.process.get('/livez')).status).toBe(200)

      rmSync(join(small.path, 'fill'))
      await untilAtRest(cluster, { deadlineMs: 150_000 })
      expect(beta.process.isRunning).toBe(true)
      expect(alpha.hands.read('of-beta')).toBe('edited')
      expect(beta.hands.tree().size).toBe(20 - 5 + 200 + 1)
      expect((await beta.process.status())?.conflicts).toEqual([])
    },
  )

  test('is stopped as asked while there is none', { timeout: 120_000 }, async () => {
    small = mountSmallFileSystem(sizeBytes)
    cluster = await Cluster.make(['alpha', 'beta'], {
      settingsOf: (name) => (name === 'beta' ? { SYND_STATE_DIR: join(small.path, 'state') } : {}),
    })
    await cluster.start()
    const beta = cluster.member('beta')
    small.fill('fill')
    cluster.member('alpha').hands.write('new', 'x'.repeat(100_000))
    await until(async () => {
      const problems = (await beta.process.status())?.problems ?? []
      return problems.some(({ code }) => code === 'disk-full') ? null : 'it does not say so'
    })
    expect(await beta.process.stop(), beta.process.output).toBe(0)
    rmSync(join(small.path, 'fill'))
    beta.process.start()
    await untilAtRest(cluster)
  })
})
