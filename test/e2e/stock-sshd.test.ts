import { execFile } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { nastyNames } from '../support/nasty-names.ts'
import { makeKey } from '../transfer/keys.ts'
import { startSshd } from '../transfer/sshd.ts'
import { describeWith } from '../transfer/tools.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { Cluster, type Member } from './cluster.ts'
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

/** What `synd status` prints for the operator of a member. */
async function statusOf({ process: own }: Member): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [launcher, 'status'], {
    env: { PATH: process.env['PATH'], ...own.environment },
  })
  return stdout
}

const root = join(import.meta.dirname, '..', '..')
const launcher = join(root, 'bin', 'synd.js')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** Whose .bashrc talks. */
function talkativeHome(): string {
  const { path, remove } = temporaryDirectory()
  cleanups.push(async () => remove())
  writeFileSync(join(path, '.bashrc'), "echo 'Welcome back'\n")
  return path
}

describeWith(['sshd', 'scp'], 'a stock sshd that lets us in and sends no files', () => {
  test.each<[string, () => string]>([
    ['it has no scp', () => 'SetEnv PATH=/nonexistent'],
    ['it lets this user do sftp only', () => 'ForceCommand internal-sftp'],
    ['it prints something before the files', () => `SetEnv HOME=${talkativeHome()}`],
    ['it runs something else than the scp -f that was asked for', () => 'ForceCommand /bin/false'],
  ])(
    'is logged in to once and asked less and less often, and the status has the words of README: %s',
    async (words, setting) => {
      const peers = await pair([setting()], '')
      const { sshd, cluster, alpha, beta, known } = peers
      writeFileSync(known, sshd.knownHosts)
      for (const name of ['one', 'two', 'three']) alpha.hands.write(name, `of ${name}`)
      for (const { process } of cluster.members) process.start()
      expect(readme).toContain(`| \`${words}\` |`)
      expect(await problemOf(peers, new RegExp(words))).toContain(
        'nothing can be pulled from alpha',
      )
      expect(await statusOf(beta)).toContain(words)

      const count = (line: RegExp): number => sshd.log().match(line)?.length ?? 0
      const asked = (): number => count(/^Starting session: /gm)
      const reached = async (times: number): Promise<number> => {
        await until(() => (asked() >= times ? null : `asked ${asked()} times`))
        return performance.now()
      }
      // At first after an eighth to a quarter of a second, then twice as long each time: 3.9 s at least for five, less what was seen late.
      const firstMs = await reached(1)
      expect((await reached(6)) - firstMs).toBeGreaterThan(2500)
      expect(count(/^Accepted publickey/gm)).toBe(1)
      // Nothing else waits: the other way all is well.
      beta.hands.write('from beta', 'back')
      await until(() => (alpha.hands.read('from beta') === 'back' ? null : 'it has not come'))
      expect(beta.hands.read('one')).toBeNull()
    },
    180_000,
  )
})

describeWith(['sshd', 'scp'], 'two peers, one of which leaves its files to a stock sshd', () => {
  test('say what is wrong until it is mended, and then are in sync, both ways, with every name', async () => {
    const peers = await pair(['MaxSessions 1', 'RekeyLimit 64K', 'MaxStartups 1'], '')
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
