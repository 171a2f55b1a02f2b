import { chownSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './cache.ts'
import { check, type CommandResult, run } from './command.ts'
import type { DockerCommand } from './containers.ts'
import { makeKeys } from './keys.ts'
import { syndImage } from './synd-image.ts'
import { at, textAt, type Tree } from './yaml-files.ts'
import { until } from './wait.ts'

export interface ComposeHostOptions {
  /** Name on the network that joins the hosts, and in logs. */
  readonly name: string
  readonly peers: string
  /** Where the hosts meet: an existing Docker network. */
  readonly network: string
  readonly uid?: number
  readonly gid?: number
  /** More lines of .env. */
  readonly settings?: Readonly<Record<string, string>>
}

/**
 * A host as an operator sets it up: a directory with the shipped compose file, .env, ssh/ and data/. Its own project and
 * network; a second network joins it with the others, which is all that is added to the shipped file.
 */
export class ComposeHost {
  readonly name: string
  readonly directory: string
  readonly dataDirectory: string
  readonly keyDirectory: string
  readonly #docker: DockerCommand
  readonly #options: ComposeHostOptions
  publicLine = ''

  constructor(docker: DockerCommand, parent: string, options: ComposeHostOptions) {
    this.#docker = docker
    this.#options = options
    this.name = options.name
    this.directory = join(parent, options.name)
    this.dataDirectory = join(this.directory, 'data')
    this.keyDirectory = join(this.directory, 'ssh')
  }

  /** mkdir, ssh-keygen, .env: everything but `up`. */
  async setUp(): Promise<void> {
    const { uid = 1000, gid = 1000 } = this.#options
    mkdirSync(this.dataDirectory, { recursive: true })
    chownSync(this.dataDirectory, uid, gid)
    this.publicLine = await makeKeys(this.keyDirectory, { uid, gid })
    for (const path of ['docker-compose.yml', 'deploy/prometheus', 'deploy/grafana']) {
      cpSync(join(repository, path), join(this.directory, path), { recursive: true })
    }
    this.writeSettings({})
    writeFileSync(join(this.directory, 'docker-compose.override.yml'), this.#override())
  }

  /** Writes .env anew, with `changes` besides what the host was made with. */
  writeSettings(changes: Readonly<Record<string, string>>): void {
    const { uid = 1000, gid = 1000, peers, settings } = this.#options
    const lines: Record<string, string> = {
      SYND_PEERS: peers,
      SYND_PEER_NAME: this.name,
      SYND_UID: String(uid),
      SYND_GID: String(gid),
      SYND_IMAGE: syndImage,
      // Both hosts are one machine here: ports that the kernel chooses.
      SYND_GRPC_PUBLISH: '127.0.0.1:',
      SYND_SSH_PUBLISH: '127.0.0.1:',
      SYND_HTTP_PUBLISH: '127.0.0.1:',
      ...settings,
      ...changes,
    }
    const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(join(this.directory, '.env'), text.join(''))
  }

  /** docker-compose in the directory of this host; it must succeed. */
  async compose(...args: readonly string[]): Promise<string> {
    return check('docker-compose', args, this.#commandOptions())
  }

  async tryCompose(...args: readonly string[]): Promise<CommandResult> {
    return run('docker-compose', args, this.#commandOptions())
  }

  async up(): Promise<void> {
    await this.compose('up', '--detach', '--no-build', 'synd')
  }

  async down(): Promise<void> {
    await this.tryCompose('down', '--volumes', '--remove-orphans', '--timeout', '20')
  }

  /** The id of Synd's container, running or not. */
  async container(): Promise<string> {
    const id = (await this.compose('ps', '--quiet', 'synd')).trim()
    if (id === '') throw new Error(`${this.name} has no container`)
    return id
  }

  async inspect(): Promise<Tree> {
    return JSON.parse(await this.#docker('inspect', await this.container()))[0]
  }

  /** Everything that `docker logs` shows. */
  async logs(): Promise<string> {
    return (await this.#docker.try('logs', await this.container())).output
  }

  /** `synd status --json` inside the container. */
  async status(): Promise<Tree> {
    return JSON.parse(
      await this.#docker('exec', await this.container(), 'synd', 'status', '--json'),
    )
  }

  async #address(): Promise<string> {
    return this.#docker('port', await this.container(), '9464/tcp')
  }

  /** GET over the port that is published on this machine. */
  async fetch(path: string): Promise<Response> {
    return fetch(`http://${await this.#address()}${path}`, { signal: AbortSignal.timeout(10_000) })
  }

  /** The value of a metric's first series that has all these labels. */
  async metric(name: string, labels: string = ''): Promise<number> {
    const text = await (await this.fetch('/metrics')).text()
    const line = text.split('\n').find((one) => one.startsWith(name) && one.includes(labels))
    if (line === undefined) throw new Error(`no metric ${name}{${labels}}`)
    return Number(line.split(' ').at(-1))
  }

  #commandOptions() {
    return { cwd: this.directory, environment: this.#docker.environment, timeoutMs: 180_000 }
  }

  #override(): string {
    return JSON.stringify({
      services: { synd: { networks: { default: {}, hosts: { aliases: [this.name] } } } },
      networks: { hosts: { external: true, name: this.#options.network } },
    })
  }
}

/** Waits until both say that everything is equal, and the digests of their trees are. */
export async function untilInSync(
  hosts: readonly ComposeHost[],
  timeoutMs = 180_000,
): Promise<void> {
  await until(
    `${hosts.map((host) => host.name).join(' and ')} are in sync`,
    async () => {
      const all = await Promise.all(hosts.map((host) => host.status()))
      const digests = new Set(all.map((status) => textAt(status, 'volume', 'treeDigest')))
      return all.every((status) => at(status, 'inSync') === true) && digests.size === 1
    },
    { timeoutMs, everyMs: 500, describe: () => describeHosts(hosts) },
  )
}

async function describeHosts(hosts: readonly ComposeHost[]): Promise<string> {
  const parts = await Promise.all(
    hosts.map(async (host) => {
      const status = await host.status().catch((error: unknown) => String(error))
      const logs = await host.logs().catch((error: unknown) => String(error))
      return `── ${host.name}\n${JSON.stringify(status, null, 1)}\n${logs.slice(-3000)}`
    }),
  )
  return parts.join('\n')
}
