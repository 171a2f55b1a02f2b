import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheDirectory } from './cache.ts'
import { check, run } from './command.ts'
import { isInstalled } from './engines.ts'
import { unmountBelow } from './mounts.ts'
import { until } from './wait.ts'

/** A Docker daemon for these tests, and how to reach it: the machine's own, or one started here. */
export interface Docker {
  readonly environment: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** The classic builder, which is what Debian's Docker has. */
const classicBuilder = { DOCKER_BUILDKIT: '0' }

/** Null where there is neither a daemon nor a dockerd that may be started. */
export async function startDocker(): Promise<Docker | null> {
  if (!isInstalled('docker')) return null
  const running = await run('docker', ['info'], { timeoutMs: 30_000 })
  if (running.code === 0) return { environment: classicBuilder, stop: async () => {} }
  if (!isInstalled('dockerd') || process.getuid?.() !== 0) return null
  return startDaemon()
}

async function startDaemon(): Promise<Docker> {
  const directory = mkdtempSync(join(tmpdir(), 'synd-dockerd-'))
  const host = `unix://${join(directory, 'docker.sock')}`
  const environment = { ...classicBuilder, DOCKER_HOST: host }
  const logFile = join(directory, 'log')
  const log = openSync(logFile, 'w')
  const daemon = spawn(
    'dockerd',
    [
      `--host=${host}`,
      `--data-root=${cacheDirectory('docker')}`,
      `--exec-root=${join(directory, 'exec')}`,
      `--pidfile=${join(directory, 'pid')}`,
    ],
    { stdio: ['ignore', log, log] },
  )
  await until(
    'dockerd answers',
    async () => {
      if (daemon.exitCode !== null) throw new Error(`dockerd exited ${daemon.exitCode}`)
      return (await run('docker', ['info'], { environment })).code === 0
    },
    { timeoutMs: 60_000, describe: async () => readFileSync(logFile, 'utf8').slice(-4000) },
  )
  await removeLeftovers(environment)
  return {
    environment,
    stop: async () => {
      await removeLeftovers(environment)
      await stopProcess(daemon)
      // dockerd leaves its network namespaces mounted.
      await unmountBelow(directory)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** The daemon's data lasts between runs for its layers; containers and networks of a run that was killed must not. */
async function removeLeftovers(environment: Readonly<Record<string, string>>): Promise<void> {
  const containers = (await check('docker', ['ps', '--all', '--quiet'], { environment }))
    .split('\n')
    .filter(Boolean)
  if (containers.length > 0)
    await run('docker', ['rm', '--force', '--volumes', ...containers], { environment })
  await run('docker', ['network', 'prune', '--force'], { environment })
  await run('docker', ['volume', 'prune', '--force'], { environment })
  await run('docker', ['image', 'prune', '--force'], { environment })
}

async function stopProcess(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null) return
  const ended = new Promise<void>((resolve) => {
    process.once('exit', () => resolve())
  })
  process.kill('SIGTERM')
  const killer = setTimeout(() => process.kill('SIGKILL'), 30_000)
  await ended
  clearTimeout(killer)
}
