import {
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWithDocker } from '../support/containers.ts'
import { authorize } from '../support/keys.ts'
import { type Directories, makeDirectories, startContainer } from '../support/plain-host.ts'
import { until } from '../support/wait.ts'

describeWithDocker('who Synd runs as', (docker) => {
  const parent = mkdtempSync(join(tmpdir(), 'synd-run-as-'))
  const network = `synd-run-as-${process.pid}`
  const rootName = `${network}-root`
  const otherName = `${network}-other`
  let root: Directories
  let other: Directories

  beforeAll(async () => {
    await docker('network', 'create', network)
    root = await makeDirectories(parent, { name: 'root', uid: 5001, gid: 5002 })
    other = await makeDirectories(parent, { name: 'other', uid: 6001, gid: 6002 })
    authorize(root.ssh, [other.publicLine])
    authorize(other.ssh, [root.publicLine])
    const start = (name: string, alias: string, peer: string, mounts: Directories, as: string) =>
      startContainer(docker, name, [
        `--network=${network}`,
        `--network-alias=${alias}`,
        `--env=SYND_PEERS=${peer}`,
        `--volume=${mounts.data}:/data`,
        `--volume=${mounts.ssh}:/etc/synd/ssh:ro`,
        '--read-only',
        ...as.split(' '),
      ])
    await start(
      rootName,
      'root',
      'other',
      root,
      '--user=0 --env=PUID=5001 --env=PGID=5002 --env=UMASK=027',
    )
    await start(otherName, 'other', 'root', other, '--user=6001:6002 --cap-drop=ALL')
  })

  afterAll(async () => {
    for (const name of [rootName, otherName]) await docker.try('rm', '--force', name)
    await docker.try('network', 'rm', network)
    rmSync(parent, { recursive: true, force: true })
  })

  test('root with PUID and PGID, and a user that no image knows, sync with each other', async () => {
    write(root.data, 'from-root.txt', [5001, 5002])
    write(other.data, 'from-other.txt', [6001, 6002])
    await untilFile(other.data, 'from-root.txt')
    await untilFile(root.data, 'from-other.txt')
  })

  test('what arrives belongs to PUID and PGID, and to the user of the container', () => {
    expect(owner(root.data, 'from-other.txt')).toEqual([5001, 5002])
    expect(owner(other.data, 'from-root.txt')).toEqual([6001, 6002])
    expect(owner(root.data, '.synd')).toEqual([5001, 5002])
  })

  test('files that Synd may read but does not own sync as well, and nothing is ever given to somebody else', async () => {
    write(root.data, 'of-somebody.txt', [7001, 7002])
    await untilFile(other.data, 'of-somebody.txt')
    expect(owner(root.data, 'of-somebody.txt')).toEqual([7001, 7002])
  })

  test('as process 1 without an init, docker stop ends both with 0', async () => {
    for (const name of [rootName, otherName]) {
      await docker('stop', '--time', '15', name)
      expect(await docker('inspect', '--format', '{{.State.ExitCode}}', name)).toBe('0')
    }
  })

  async function untilFile(directory: string, name: string): Promise<void> {
    await until(
      `${name} is in ${directory}`,
      () =>
        existsSync(join(directory, name)) && readFileSync(join(directory, name), 'utf8') === name,
      {
        describe: async () =>
          (await Promise.all([rootName, otherName].map((one) => docker.try('logs', one))))
            .map((logs) => logs.output.slice(-3000))
            .join('\n──\n'),
      },
    )
  }
})

function write(directory: string, name: string, [uid, gid]: readonly [number, number]): void {
  writeFileSync(join(directory, name), name, { mode: 0o644 })
  chownSync(join(directory, name), uid, gid)
}

function owner(directory: string, name: string): number[] {
  const { uid, gid } = statSync(join(directory, name))
  return [uid, gid]
}
