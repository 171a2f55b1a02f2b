import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { Cluster, type Member } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'
import { exec, outcomeOf, rawClient } from '../transfer/raw-client.ts'
import { startAttacker, type Attacker } from './attacker.ts'

/** Two real sidecars that trust each other, and a member who attacks one of them. */
export interface Siege {
  readonly victim: Member
  readonly attacker: Attacker
  /** Everybody who is honest. */
  readonly cluster: Cluster
  /**
   * An honest peer is served by the victim within 2 s: its change arrives there, the victim's arrives at it, and one who comes anew gets in on
   * both channels. There are three tries, and more time on a machine
   * that is busy with something else.
   */
  expectServed(): Promise<void>
  /** synd_rejected_total of the victim. */
  rejected(surface: string, reason: string): Promise<number>
  untilRejected(surface: string, reason: string, count?: number): Promise<void>
  /** Fails when the victim's resident memory is up by 50 MB or more from what it was at `begin`. */
  watchMemory(): MemoryWatch
  stop(): Promise<void>
}

export interface MemoryWatch {
  /** The highest so far, in bytes above the beginning. */
  growth(): number
  expectSmall(): void
}

const servedMs = 2000
/** A machine that needs more than a fifth of a second for it when nobody attacks has other work: so many times that, then. */
const busyFactor = 10
const maxGrowthBytes = 50e6

/** `isListed`: the victim dials the attacker too, and pulls from it. */
export async function besiege({
  answer,
  isListed = false,
  settings = {},
  command,
}: {
  readonly answer?: Parameters<typeof startAttacker>[0]
  readonly isListed?: boolean
  readonly settings?: Readonly<Record<string, string>>
  readonly command?: readonly string[]
} = {}): Promise<Siege> {
  const attacker = await startAttacker(answer)
  const cluster = await Cluster.make(['victim', 'honest'], {
    moreKeys: [attacker.key.publicLine],
    morePeers: (name) => (isListed && name === 'victim' ? [`127.0.0.1:${attacker.grpcPort}`] : []),
    settings,
    ...(command === undefined ? {} : { command }),
  })
  const victim = cluster.member('victim')
  const honest = cluster.member('honest')
  attacker.trust(victim.process.environment['SYND_SSH_AUTHORIZED_KEYS'] ?? '')
  for (const { process } of cluster.members) process.start()
  let turn = 0
  let allowedMs = servedMs
  const siege: Siege = {
    victim,
    attacker,
    cluster,
    expectServed: async () => {
      const durations: number[] = []
      while (durations.length < 3 && !durations.some((ms) => ms < allowedMs))
        durations.push(await serve({ victim, honest, attacker, turn: ++turn }))
      expect(Math.min(...durations)).toBeLessThan(allowedMs)
    },
    rejected: async (surface, reason) => {
      const { text } = await victim.process.get('/metrics')
      const line = `synd_rejected_total{surface="${surface}",reason="${reason}"} `
      const found = text.split('\n').find((one) => one.startsWith(line))
      return Number(found?.slice(line.length) ?? 0)
    },
    untilRejected: (surface, reason, count = 1) =>
      until(async () => {
        const now = await siege.rejected(surface, reason)
        return now >= count ? null : `${surface} ${reason}: ${now} of ${count}`
      }),
    watchMemory: () => watchMemory(victim.process.pid),
    stop: async () => {
      await cluster.stop()
      await attacker.stop()
    },
  }
  // The first time is slower; and it makes the memory that an honest life takes.
  await serve({ victim, honest, attacker, turn: 0 })
  const calm: number[] = []
  while (calm.length < 3) calm.push(await serve({ victim, honest, attacker, turn: ++turn }))
  allowedMs = Math.max(servedMs, busyFactor * Math.min(...calm))
  return siege
}

/** How long it takes, in milliseconds. */
async function serve({
  victim,
  honest,
  attacker,
  turn,
}: {
  victim: Member
  honest: Member
  attacker: Attacker
  turn: number
}): Promise<number> {
  const sinceMs = performance.now()
  const text = `turn ${turn}`
  victim.hands.write(`of-victim-${turn}`, text)
  honest.hands.write(`of-honest-${turn}`, text)
  await until(
    () => {
      const missing = [
        honest.hands.read(`of-victim-${turn}`) === text ? '' : 'what the victim wrote',
        victim.hands.read(`of-honest-${turn}`) === text ? '' : 'what the honest peer wrote',
      ].filter((what) => what !== '')
      return missing.length === 0
        ? null
        : `not arrived: ${missing.join()}\n${victim.process.output.slice(-2000)}`
    },
    { everyMs: 10 },
  )
  const client = attacker.client(victim.ports.grpc)
  await client.session()
  client.close()
  const ssh = await rawClient(victim.ports.ssh, { key: attacker.key })
  const channel = await exec(ssh.client, `scp -f of-victim-${turn}`)
  if (typeof channel !== 'string') channel.write('\0'.repeat(4))
  expect((await outcomeOf(channel)).stdout).toContain(`\n${text}\0`)
  ssh.socket.destroy()
  return performance.now() - sinceMs
}

function watchMemory(pid: number): MemoryWatch {
  const atBegin = residentBytes(pid)
  let highest = atBegin
  const timer = setInterval(() => (highest = Math.max(highest, residentBytes(pid))), 50)
  timer.unref()
  const growth = (): number => {
    highest = Math.max(highest, residentBytes(pid))
    return highest - atBegin
  }
  return {
    growth,
    expectSmall: () => {
      clearInterval(timer)
      expect(growth()).toBeLessThan(maxGrowthBytes)
    },
  }
}

/** 0 once the process is gone. */
function residentBytes(pid: number): number {
  try {
    const [, kib = '0'] =
      /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kib) * 1024
  } catch {
    return 0
  }
}
