import { chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DockerCommand } from './containers.ts'
import { authorize, makeKeys } from './keys.ts'
import { syndImage } from './synd-image.ts'
import { at, type Tree } from './yaml-files.ts'
import { until } from './wait.ts'

export interface PlainHostOptions {
  readonly name: string
  /** Owner of the volume and of the key on this machine. */
  readonly uid?: number
  readonly gid?: number
}

export interface Directories {
  readonly data: string
  readonly ssh: string
  readonly publicLine: string
}

/** Directories for a container started with `docker run`: data/ and ssh/, the latter accepting only its own key. */
export async function makeDirectories(
  parent: string,
  options: PlainHostOptions,
): Promise<Directories> {
  const owner = { uid: options.uid ?? 1000, gid: options.gid ?? 1000 }
  const data = join(parent, options.name, 'data')
  const ssh = join(parent, options.name, 'ssh')
  mkdirSync(data, { recursive: true })
  chownSync(data, owner.uid, owner.gid)
  const publicLine = await makeKeys(ssh, owner)
  authorize(ssh, [publicLine])
  return { data, ssh, publicLine }
}

/** Starts a container in the background; give it a name, it is removed by that. */
export async function startContainer(
  docker: DockerCommand,
  name: string,
  options: readonly string[],
): Promise<void> {
  await docker.try('rm', '--force', name)
  await docker('run', '--detach', '--name', name, ...options, syndImage)
}

/** Waits until the container has ended by itself; gives its exit code and what it printed. */
export async function untilExited(
  docker: DockerCommand,
  name: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const state = await until(
    `${name} has ended`,
    async () => {
      const current: Tree = JSON.parse(await docker('inspect', name))[0]
      return at(current, 'State', 'Status') === 'exited' ? current : null
    },
    { timeoutMs: 60_000, describe: async () => (await docker.try('logs', name)).output },
  )
  const logs = await docker.try('logs', name)
  return { code: Number(at(state, 'State', 'ExitCode')), stdout: logs.stdout, stderr: logs.stderr }
}
