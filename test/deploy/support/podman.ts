import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check, type CommandResult, run } from './command.ts'
import type { DockerCommand } from './containers.ts'
import { unmountBelow } from './mounts.ts'

/** The podman command on a storage of its own, gone with `remove`. */
export interface Podman {
  (...args: readonly string[]): Promise<string>
  try(...args: readonly string[]): Promise<CommandResult>
  /** Takes an image over from Docker. */
  load(docker: DockerCommand, image: string): Promise<void>
  remove(): Promise<void>
}

/** Opens a storage for one test. */
export function createPodman(): Podman {
  const directory = mkdtempSync(join(tmpdir(), 'synd-podman-'))
  const settings = join(directory, 'containers.conf')
  // Podman asks for more than some machines allow: "error setting rlimit type 7".
  writeFileSync(
    settings,
    '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n',
  )
  const environment = { CONTAINERS_CONF: settings }
  const storage = [
    `--root=${join(directory, 'root')}`,
    `--runroot=${join(directory, 'runroot')}`,
    `--tmpdir=${join(directory, 'tmp')}`,
  ]
  const attempt = (...args: readonly string[]) =>
    run('podman', [...storage, ...args], { environment })
  const command = async (...args: readonly string[]) =>
    (await check('podman', [...storage, ...args], { environment })).replace(/\n$/, '')
  return Object.assign(command, {
    try: attempt,
    load: async (docker: DockerCommand, image: string) => {
      const file = join(directory, 'image.tar')
      await docker('save', '--output', file, image)
      await command('load', '--input', file)
      rmSync(file)
    },
    remove: async () => {
      await attempt('pod', 'rm', '--all', '--force')
      await attempt('volume', 'rm', '--all', '--force')
      await attempt('rmi', '--all', '--force')
      await unmountBelow(directory)
      rmSync(directory, { recursive: true, force: true })
    },
  })
}
