import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { nastyNames } from '../support/nasty-names.ts'
import { makeKey } from '../transfer/keys.ts'
import { startSshd } from '../transfer/sshd.ts'
import { describeWith } from '../transfer/tools.ts'
import { Cluster } from './cluster.ts'
import { until } from './wait.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop()
})

/** Alpha's files are served by an sshd, beta's by beta itself. */
async function pair(settings: readonly string[], knownHosts: string) {
  const sshd = await startSshd({
    member: makeKey(),
    root: '/nowhere',
    settings: ['LogLevel VERBOSE', ...settings],
  })
  cleanups.push(sshd.stop)
  let known = ''
  const cluster = await Cluster.make(['alpha', 'beta'], {
    settingsOf: (name, { volume, home }): Record<string, string> => {
      if (name === 'beta') {
        known = join(home, 'known_hosts')
        writeFileSync(known, knownHosts)
        return { SYND_SSH_KNOWN_HOSTS: known }
      }
      const advertised = `ssh://${userInfo().username}@127.0.0.1:${sshd.port}${volume}`
      return { SYND_SSH_LISTEN: 'off', SYND_SSH_ADVERTISE: advertised }
    },
  })
  cleanups.push(() => cluster.stop())
  const keys = cluster.member('beta').process.environment['SYND_SSH_AUTHORIZED_KEYS'] ?? ''
  writeFileSync(sshd.authorizedKeys, readFileSync(keys))
  const [alpha, beta] = [cluster.member('alpha'), cluster.member('beta')]
  return { sshd, cluster, alpha, beta, known }
}

/** Waits until beta lists that problem, and gives its message. */
async function problemOf({ beta }: Awaited<ReturnType<typeof pair>>, words: RegExp) {
  let message = ''
  await until(async () => {
    const status = await beta.process.status()
    const found = status?.problems.find((one) => one.code === 'source-failed')
    message = found?.message ?? ''
    return words.test(message) ? null : `${JSON.stringify(status)} ${beta.process.output}`
  })
  return message
}

describeWith(['sshd', 'scp'], 'two peers, one of which leaves its files to a stock sshd', () => {
  test('say what is wrong until it is mended, and then are in sync, both ways, with every name', async () => {
    const peers = await pair(['MaxSessions 1', 'RekeyLimit 64K'], '')
    const { sshd, cluster, alpha, beta, known } = peers
    for (const name of nastyNames) alpha.hands.write(name, `of ${name}`)
    alpha.hands.write('large', 'large '.repeat(1_000_000))
    for (const { process } of cluster.members) process.start()

    const unknown = await problemOf(peers, /has no line for it/)
    expect(unknown).toContain(`nothing can be pulled from alpha (127.0.0.1:${alpha.ports.grpc})`)
    expect(unknown).toContain(`ssh-keyscan -p ${sshd.port} 127.0.0.1`)
    expect(beta.process.output).toMatch(
      /"peer":"127\.0\.0\.1:\d+".*has no line for it.*pull failed/,
    )
    const seen = (): number => sshd.log().match(/^Connection from /gm)?.length ?? 0
    const before = seen()
    appendFileSync(known, `[127.0.0.1]:${sshd.port} ${makeKey().publicLine}\n`)
    await problemOf(peers, /is not the one in SYND_SSH_KNOWN_HOSTS/)
    // However often the 39 files asked for one.
    expect(seen() - before).toBeLessThanOrEqual(2)

    writeFileSync(known, sshd.knownHosts)
    await cluster.untilInSync()
    expect((await beta.process.status())?.problems).toEqual([])
    beta.hands.write('from beta', 'back')
    alpha.hands.write('once more', 'and forth')
    await cluster.untilInSync()
    expect(alpha.hands.read('from beta')).toBe('back')
    expect(beta.hands.read('once more')).toBe('and forth')
  }, 180_000)
})
