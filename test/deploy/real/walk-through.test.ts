import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repository } from '../support/cache.ts'
import { run } from '../support/command.ts'
import { describeWithDocker } from '../support/containers.ts'
import { shellBlocks } from '../support/readme.ts'
import { syndImage } from '../support/synd-image.ts'
import { until } from '../support/wait.ts'

/** Who pastes: nobody where the tests run as root (ssh-keygen wants a user that has a name), else whoever runs them. */
const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : null

describeWithDocker('a new user who pastes what deploy/README.md says', (docker) => {
  const parent = mkdtempSync(join(tmpdir(), 'synd-walk-through-'))
  const network = `synd-walk-through-${process.pid}`
  const names = ['host-a', 'host-b'] as const
  type Name = (typeof names)[number]
  const other = (name: Name): Name => (name === 'host-a' ? 'host-b' : 'host-a')
  const blocks = shellBlocks('deploy/README.md')

  beforeAll(async () => {
    own(parent)
    mkdirSync(join(parent, 'bin'))
    // Compose 2 is `docker compose`, 1.29 is `docker-compose`: the same file, another command.
    const shim =
      '#!/bin/sh\nif [ "$1" = compose ]; then shift; exec docker-compose "$@"; fi\nexec DOCKER "$@"\n'
    const real = (await run('sh', ['-c', 'command -v docker'])).stdout.trim()
    writeFileSync(join(parent, 'bin', 'docker'), shim.replace('DOCKER', real))
    chmodSync(join(parent, 'bin', 'docker'), 0o755)
    // The image that the compose file would build.
    await docker('tag', syndImage, 'synd:latest')
    await docker('network', 'create', network)
    for (const name of names) {
      const directory = join(parent, name)
      mkdirSync(directory)
      cpSync(join(repository, 'docker-compose.yml'), join(directory, 'docker-compose.yml'))
      // Two hosts on one machine: a network between them, and ports that the kernel chooses (below).
      const networks = { default: {}, hosts: { aliases: [name] } }
      writeFileSync(
        join(directory, 'docker-compose.override.yml'),
        JSON.stringify({
          services: { synd: { networks } },
          networks: { hosts: { external: true, name: network } },
        }),
      )
      own(directory)
    }
    openSocket(docker.environment['DOCKER_HOST'])
  })

  afterAll(async () => {
    for (const name of names) await paste(name, 'docker compose down --volumes --timeout 20')
    await docker.try('network', 'rm', network)
    rmSync(parent, { recursive: true, force: true })
  })

  test('has two hosts in sync', async () => {
    expect(blocks.length).toBeGreaterThanOrEqual(7)
    let last = ''
    for (const block of blocks.filter(({ where }) => where === 'both hosts')) {
      for (const name of names) {
        const result = await paste(name, fill(name, block.script))
        expect(result.code, `${block.script}${result.output}`).toBe(0)
      }
    }
    const [write] = blocks.filter(({ where }) => where === 'the first host')
    const [look] = blocks.filter(({ where }) => where === 'the second host')
    expect((await paste('host-a', write?.script ?? '')).code).toBe(0)
    await until('it is there', async () => {
      last = (await paste('host-b', look?.script ?? '')).output
      return last.startsWith('hello\n') && /^in sync/m.test(last)
    })
    expect(last).toContain('host-a')
  })

  function fill(name: Name, script: string): string {
    if (!script.includes('THE LINE')) return script.replaceAll('other-host', other(name))
    const line = readFileSync(join(parent, other(name), 'ssh', 'id_ed25519.pub'), 'utf8').trim()
    return script.replaceAll('THE LINE OF THE OTHER HOST', line)
  }

  function paste(name: Name, script: string) {
    const shell = ['sh', '-e', '-c', script]
    const [program = '', ...args] =
      user === null
        ? shell
        : ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...shell]
    return run(program, args, {
      cwd: join(parent, name),
      timeoutMs: 300_000,
      environment: {
        ...docker.environment,
        HOME: parent,
        PATH: `${join(parent, 'bin')}:${process.env['PATH'] ?? ''}`,
        SYND_GRPC_PUBLISH: '127.0.0.1:',
        SYND_SSH_PUBLISH: '127.0.0.1:',
        SYND_HTTP_PUBLISH: '127.0.0.1:',
      },
    })
  }
})

function own(path: string): void {
  if (user !== null) chownSync(path, user.uid, user.gid)
}

/** Lets the ordinary user in, as membership in the group docker would: only to a daemon that was started for these tests. */
function openSocket(host: string | undefined): void {
  if (user === null || host === undefined) return
  const socket = host.replace('unix://', '')
  own(socket)
  own(join(socket, '..'))
}
