import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { runCommand } from '../e2e/sidecar-process.ts'
import { until } from '../e2e/wait.ts'
import { metric } from './metric.ts'

/** The limit of a user namespace holds besides that of the machine, and only there. */
const limitFile = '/proc/sys/user/max_inotify_watches'

/** What is named to people. */
const limit = 'fs.inotify.max_user_watches'

const hasNamespaces =
  process.env['CI'] === 'true' ||
  spawnSync('unshare', ['-Ur', 'sh', '-c', `echo 50 > ${limitFile}`]).status === 0

let cluster: Cluster

afterEach(async () => cluster.stop())

test.skipIf(!hasNamespaces)(
  'with 50 inotify watches for 100 directories it says so, stays in sync by looking, and watches when it may (G9)',
  { timeout: 240_000 },
  async () => {
    const [program = '', ...words] = runCommand
    cluster = await Cluster.make(['alpha', 'beta'], {
      commandOf: (name) =>
        name === 'alpha'
          ? [
              'unshare',
              '-Ur',
              'sh',
              '-c',
              `echo 50 > ${limitFile} && exec "$@"`,
              'sh',
              program,
              ...words,
            ]
          : null,
    })
    const alpha = cluster.member('alpha')
    const beta = cluster.member('beta')
    for (let n = 0; n < 100; n++) mkdirSync(join(alpha.volume, `d${n}`))
    await cluster.start()
    await untilSaid(true)
    expect((await alpha.process.get('/readyz')).status).toBe(200)
    for (let n = 0; n < 100; n++) alpha.hands.write(`d${n}/here`, `${n}`)
    for (let n = 0; n < 100; n++) beta.hands.write(`d${n}/there`, `${n}`)
    await until(() => cluster.difference())
    expect(alpha.hands.tree().size).toBe(300)
    for (let n = 0; n < 100; n += 2) alpha.hands.write(`d${n}/here`, `${n} changed`)
    for (let n = 1; n < 100; n += 2) alpha.hands.remove(`d${n}/here`)
    await cluster.untilLike('alpha')

    const grant = ['-t', `${alpha.process.pid}`, '-U', '--preserve-credentials']
    execFileSync('nsenter', [...grant, 'sh', '-c', `echo 10000 > ${limitFile}`])
    await untilSaid(false)
    await until(async () =>
      ((await metric(alpha.process, 'synd_inotify_watches')) ?? 0) > 100
        ? null
        : 'not all directories are watched',
    )
    alpha.hands.write('d99/watched', 'x')
    await cluster.untilInSync()

    async function untilSaid(isDegraded: boolean): Promise<void> {
      await until(async () => {
        const problems = (await alpha.process.status())?.problems ?? []
        const said = [
          problems.some(
            ({ code, message }) => code === 'watch-degraded' && message.includes(limit),
          ),
          (await metric(alpha.process, 'synd_watch_degraded')) === 1,
          (await metric(alpha.process, 'synd_problems{code="watch-degraded"}')) === 1,
        ]
        return said.every((each) => each === isDegraded) ? null : `said: ${said.join(', ')}`
      })
    }
  },
)
