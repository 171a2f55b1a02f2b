import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DnsServer } from '../support/dns-server.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { Cluster, type Member } from './cluster.ts'
import { runCommand, SidecarProcess } from './sidecar-process.ts'
import { until } from './wait.ts'

/** Only root may answer on port 53, and give a process another resolv.conf. */
const canServe = process.getuid?.() === 0 || process.env['CI'] === 'true'

/** A headless Service: every peer has the same name in SYND_PEERS, and its own address is among those that the name has. */
const name = 'peers.synd.test'
const hosts: Readonly<Record<string, string>> = {
  alpha: '127.0.7.1',
  beta: '127.0.7.2',
  gamma: '127.0.7.3',
}

let cluster: Cluster
let dns: DnsServer
let home: string
let remove: () => void
const moved: SidecarProcess[] = []

beforeEach(async ({ skip }) => {
  if (!canServe) skip('needs root, for port 53')
  const directory = temporaryDirectory()
  home = directory.path
  remove = directory.remove
  dns = new DnsServer('127.0.7.53')
  await dns.start()
})

afterEach(async () => {
  if (!canServe) return
  for (const process of moved.splice(0)) await process.kill()
  await cluster.stop()
  await dns.stop()
  remove()
})

function hostOf(member: string): string {
  return hosts[member] ?? ''
}

/** Processes whose resolver asks our server; one port for all, as a name has no ports. */
async function made(port: number): Promise<Cluster> {
  return Cluster.make(Object.keys(hosts), {
    listing: () => null,
    morePeers: () => [`dns:${name}:${port}`],
    settingsOf: (member) => ({
      SYND_GRPC_LISTEN: `${hostOf(member)}:${port}`,
      SYND_SSH_LISTEN: `${hostOf(member)}:${port + 1}`,
    }),
    commandOf: withResolver,
  })
}

function withResolver(): readonly string[] {
  const resolvConf = join(home, 'resolv.conf')
  writeFileSync(resolvConf, `nameserver ${dns.host}\noptions timeout:1 attempts:1\n`)
  const script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
  return ['unshare', '--mount', 'sh', '-c', script, resolvConf, ...runCommand]
}

async function peersOf({ process }: Member): Promise<string[]> {
  const status = await process.status()
  return (status?.peers ?? [])
    .map(({ name: called, connected }) => `${called} ${connected}`)
    .toSorted()
}

async function untilPeersOf(member: Member, expected: readonly string[]): Promise<void> {
  await until(async () => {
    const now = await peersOf(member)
    return now.join() === expected.join() ? null : `${member.name} has ${now.join(', ')}`
  })
}

const timeout = { timeout: 240_000 }

test(
  'peers by the name of them all: none yet, there, one gone, and look-ups that fail',
  timeout,
  async () => {
    cluster = await made(46_071)
    const [alpha, beta, gamma] = ['alpha', 'beta', 'gamma'].map((one) => cluster.member(one)) as [
      Member,
      Member,
      Member,
    ]
    // Nobody has an address: one missing peer, which is said, and nobody is in sync with nobody.
    for (const { process } of cluster.members) process.start()
    await until(async () => {
      const status = await alpha.process.status()
      const isListed = status?.problems.some(({ code }) => code === 'peer-unresolved') === true
      return isListed && status.isScanned ? null : 'the name is not said to have no address'
    })
    expect((await alpha.process.status())?.inSync).toBe(false)
    alpha.hands.write('early', 'of alpha')

    // All of them, one twice: each leaves itself out.
    dns.answer = [...Object.values(hosts), hostOf('beta')]
    await untilPeersOf(alpha, ['beta true', 'gamma true'])
    await cluster.untilInSync()
    expect(gamma.hands.read('early')).toBe('of alpha')
    expect((await alpha.process.status())?.problems).toEqual([])

    // One is scaled away.
    dns.answer = [hostOf('alpha'), hostOf('beta')]
    expect(await gamma.process.stop()).toBe(0)
    await untilPeersOf(alpha, ['beta true'])
    await untilPeersOf(beta, ['alpha true'])
    await until(async () =>
      (await alpha.process.status())?.inSync === true ? null : 'alpha misses one who left',
    )

    // Nobody can tell, then nobody is there: what was known stays.
    for (const answer of ['server-failure', []] as const) {
      dns.answer = answer
      dns.asked.length = 0
      await until(() => (dns.asked.length >= 3 ? null : `asked ${dns.asked.length} times`))
      expect(await peersOf(alpha)).toEqual(['beta true'])
    }
    beta.hands.write('late', 'of beta')
    await until(() => cluster.difference('beta', ['alpha']))
    expect(new Set(dns.asked)).toEqual(new Set([name]))
  },
)

test(
  'a peer that moves to another address under the same name is found there',
  timeout,
  async () => {
    const port = 46_081
    cluster = await made(port)
    const [alpha, beta, gamma] = ['alpha', 'beta', 'gamma'].map((one) => cluster.member(one)) as [
      Member,
      Member,
      Member,
    ]
    dns.answer = Object.values(hosts)
    for (const { process } of cluster.members) process.start()
    await cluster.untilInSync()
    const idOf = async ({ process }: Pick<Member, 'process'>) => (await process.status())?.peer.id
    const id = await idOf(alpha)
    const pids = [beta.process.pid, gamma.process.pid]

    // As a pod that comes up on another node, with its volume: first the old one is gone, then the new one is there, then the name says so.
    await alpha.process.kill()
    beta.hands.write('meanwhile', 'of beta')
    const address = '127.0.7.9'
    const process = new SidecarProcess({
      environment: {
        ...alpha.process.environment,
        SYND_GRPC_LISTEN: `${address}:${port}`,
        SYND_SSH_LISTEN: `${address}:${port + 1}`,
      },
      httpPort: alpha.ports.http,
      command: withResolver(),
    })
    moved.push(process)
    process.start()
    dns.answer = [hostOf('beta'), address, hostOf('gamma')]
    await untilPeersOf(beta, ['alpha true', 'gamma true'])
    await untilPeersOf(gamma, ['alpha true', 'beta true'])
    const addresses = (await beta.process.status())?.peers.map((peer) => peer.address).toSorted()
    expect(addresses).toEqual([`${hostOf('gamma')}:${port}`, `${address}:${port}`])
    // Pulls go there too, and what it does arrives.
    alpha.hands.write('of-the-moved', 'from its new place')
    await cluster.untilInSync()
    for (const { hands } of cluster.members) {
      expect(hands.read('meanwhile')).toBe('of beta')
      expect(hands.read('of-the-moved')).toBe('from its new place')
    }
    expect(await idOf(alpha)).toBe(id)
    expect([beta.process.pid, gamma.process.pid]).toEqual(pids)
    for (const member of cluster.members)
      expect((await member.process.status())?.problems).toEqual([])
  },
)
