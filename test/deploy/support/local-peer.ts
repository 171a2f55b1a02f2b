import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './cache.ts'
import { freePort } from './free-port.ts'
import { authorize, makeKeys } from './keys.ts'
import { until } from './wait.ts'

export interface LocalPeer {
  readonly volume: string
  /** host:port of metrics and health. */
  readonly http: string
  stop(): Promise<number | null>
}

/** Two peers as processes on this machine that know each other, each with a volume of its own below `parent`. */
export async function startTwoPeers(parent: string): Promise<readonly [LocalPeer, LocalPeer]> {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const seeds = await Promise.all(
    ['a', 'b'].map(async (name) => {
      const keys = join(parent, name, 'ssh')
      const publicLine = await makeKeys(keys, owner)
      return {
        name,
        keys,
        publicLine,
        grpc: await freePort(),
        ssh: await freePort(),
        http: await freePort(),
      }
    }),
  )
  const [a, b] = seeds
  if (a === undefined || b === undefined) throw new Error('two seeds')
  return [await startPeer(parent, a, b), await startPeer(parent, b, a)]
}

interface Seed {
  readonly name: string
  readonly keys: string
  readonly publicLine: string
  readonly grpc: number
  readonly ssh: number
  readonly http: number
}

async function startPeer(parent: string, own: Seed, other: Seed): Promise<LocalPeer> {
  authorize(own.keys, [other.publicLine])
  const volume = join(parent, own.name, 'data')
  mkdirSync(volume, { recursive: true })
  const output: string[] = []
  const child = spawn(process.execPath, [join(repository, 'bin', 'synd.js'), 'run'], {
    env: {
      PATH: process.env['PATH'],
      SYND_VOLUME: volume,
      SYND_PEER_NAME: own.name,
      SYND_PEERS: `127.0.0.1:${other.grpc}`,
      SYND_GRPC_LISTEN: `127.0.0.1:${own.grpc}`,
      SYND_SSH_LISTEN: `127.0.0.1:${own.ssh}`,
      SYND_HTTP_LISTEN: `127.0.0.1:${own.http}`,
      SYND_SSH_KEY: join(own.keys, 'id_ed25519'),
      SYND_SSH_AUTHORIZED_KEYS: join(own.keys, 'authorized_keys'),
      // As often as a test wants scans to be counted.
      SYND_SCAN_INTERVAL: '10s',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text))
  }
  const http = `127.0.0.1:${own.http}`
  await until(
    `${own.name} is ready`,
    async () => {
      if (child.exitCode !== null) throw new Error(`synd exited ${child.exitCode}`)
      return (await fetch(`http://${http}/readyz`)).ok
    },
    { timeoutMs: 60_000, describe: async () => output.join('').slice(-3000) },
  )
  return {
    volume,
    http,
    stop: async () => {
      if (child.exitCode !== null) return child.exitCode
      const ended = new Promise<number | null>((resolve) => {
        child.once('exit', (code) => resolve(code))
      })
      child.kill('SIGTERM')
      return ended
    },
  }
}
